// ImageService: the image store in the words of the CRI.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

#include "base/image_reference.h"
#include "cri/calls.h"
#include "http/url.h"
#include "image/docker_config.h"
#include "reflect/base64.h"
#include "reflect/json.h"

namespace podium::cri {
namespace {

Error WithoutImage() { return {Code::kInvalidArgument, "image is required"}; }

// "1000:1000" is user 1000; "web" has a name alone.
void FillUser(std::string_view user, v1::Image* image) {
  user = user.substr(0, user.find(':'));
  int64_t uid = 0;
  const auto read = std::from_chars(user.data(), user.data() + user.size(), uid);
  if (user.empty()) return;
  if (read.ec == std::errc() && read.ptr == user.data() + user.size()) {
    image->uid.emplace().value = uid;
  } else {
    image->username = user;
  }
}

v1::Image ImageOf(const image::ImageInfo& info) {
  v1::Image image;
  image.id = info.id.String();
  for (const std::string& name : info.names) {
    if (!name.contains('@')) image.repo_tags.push_back(name);
  }
  image.repo_digests = info.repo_digests;
  image.size = info.size;
  FillUser(info.document.config.User, &image);
  // The label by which containerd's images are pinned is nothing that ours have; `podium pull
  // --pin` says so in the store.
  image.pinned = info.pinned;
  return image;
}

// An image that is not whole is as good as none: pulling it brings the rest.
std::optional<image::ImageInfo> Find(image::ImageStore& images, std::string_view name) {
  auto info = images.Resolve(name);
  if (!info.ok() || !info->runnable) return std::nullopt;
  return *std::move(info);
}

Result<std::vector<v1::Image>> List(image::ImageStore& images,
                                    const reflect::Box<v1::ImageFilter>& filter) {
  std::vector<v1::Image> list;
  if (filter && filter->image && !filter->image->image.empty()) {
    const auto info = Find(images, filter->image->image);
    if (info) list.push_back(ImageOf(*info));
    return list;
  }
  for (const image::ImageInfo& info : images.List()) {
    if (info.runnable) list.push_back(ImageOf(info));
  }
  return list;
}

Result<v1::ImageStatusResponse> Status(image::ImageStore& images,
                                       const v1::ImageStatusRequest& request) {
  if (!request.image || request.image->image.empty()) return WithoutImage();
  v1::ImageStatusResponse response;
  const auto info = Find(images, request.image->image);
  if (!info) return response;
  response.image = ImageOf(*info);
  if (request.verbose) {
    TRY(const std::string document, reflect::ToJson(info->document));
    response.info["info"] = "{\"imageSpec\":" + document + "}";
  }
  return response;
}

// The host of "https://registry.example/v1/".
std::string HostOf(std::string_view address) {
  const size_t scheme = address.find("://");
  if (scheme != std::string_view::npos) address.remove_prefix(scheme + 3);
  return std::string(address.substr(0, address.find('/')));
}

// "bmFtZTpwYXNzd29yZA==", of the name and the password.
Result<image::Credentials> Decoded(const std::string& text) {
  const Error bad(Code::kInvalidArgument, "invalid auth config: auth is no name and password");
  std::string both;
  if (reflect::DecodeBase64(text, &both)) return bad;
  const size_t colon = both.find(':');
  if (colon == std::string::npos) return bad;
  std::string password = both.substr(colon + 1);
  while (password.ends_with('\0')) password.pop_back();
  return image::Credentials{.username = both.substr(0, colon), .password = std::move(password)};
}

// Whoever names a server means no other.
Result<image::Keyring> KeyringOf(const v1::AuthConfig& auth, const std::string& image) {
  image::Keyring keyring;
  TRY(const ImageReference reference, ImageReference::Parse(image));
  image::Credentials credentials{.username = auth.username,
                                 .password = auth.password,
                                 .identity_token = auth.identity_token,
                                 .registry_token = auth.registry_token};
  if (credentials.empty() && !auth.auth.empty()) {
    TRY(credentials, Decoded(auth.auth));
  }
  if (credentials.empty()) return keyring;
  const std::string server = HostOf(auth.server_address);
  const bool hub = reference.domain == "docker.io" &&
                   (server == "index.docker.io" || server == "registry-1.docker.io");
  if (!server.empty() && server != reference.domain && !hub) return keyring;
  image::DockerConfig config;
  config.auths.push_back({reference.domain, std::move(credentials)});
  keyring.Add(config);
  return keyring;
}

Result<v1::PullImageResponse> Pull(const CriParts& parts, const v1::PullImageRequest& request,
                                   grpc::Call& call) {
  if (!request.image || request.image->image.empty()) return WithoutImage();
  const std::string& handler = request.image->runtime_handler;
  if (!handler.empty() && handler != "podium") {
    return Error(Code::kInvalidArgument, "no runtime for \"" + handler + "\" is configured");
  }
  image::Keyring keyring;
  if (request.auth) {
    TRY(keyring, KeyringOf(*request.auth, request.image->image));
  }
  TRY(const image::Keyring machine, parts.credentials());
  TRY(auto made, http::Cancellation::Create());
  const std::shared_ptr<http::Cancellation> cancellation = std::move(made);
  call.OnOver([cancellation] { cancellation->Cancel(); });
  image::PullRequest pull;
  pull.image = request.image->image;
  pull.keyring = &keyring;
  pull.machine_keyring = &machine;
  pull.cancellation = cancellation.get();
  TRY(const image::ImageInfo info, parts.puller.Pull(pull));
  return v1::PullImageResponse{info.id.String()};
}

Result<v1::RemoveImageResponse> Remove(image::ImageStore& images,
                                       const v1::RemoveImageRequest& request) {
  if (!request.image || request.image->image.empty()) return WithoutImage();
  const auto info = images.Resolve(request.image->image);
  // Nothing is left to be done.
  if (!info.ok() && info.error().code() == Code::kNotFound) return v1::RemoveImageResponse();
  if (!info.ok()) return info.error();
  // What containers still use goes with the last of them.
  const auto removed = images.Remove(info->id.String(), {.force = true});
  if (!removed.ok() && removed.error().code() != Code::kNotFound) return removed.error();
  return v1::RemoveImageResponse();
}

Result<v1::ImageFsInfoResponse> FileSystems(const CriParts& parts) {
  TRY(const image::ImageUsage usage, parts.images.Usage());
  v1::FilesystemUsage images;
  images.timestamp = std::chrono::duration_cast<std::chrono::nanoseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
  images.fs_id.emplace().mountpoint = parts.images_folder;
  images.used_bytes.emplace().value = usage.used_bytes;
  images.inodes_used.emplace().value = usage.inodes_used;
  v1::ImageFsInfoResponse response;
  response.image_filesystems.push_back(images);
  // Writable layers are on the same one, which is how a kubelet knows that there are not two.
  response.container_filesystems.push_back(images);
  return response;
}

}  // namespace

void AddImageCalls(const CriParts& parts, grpc::Methods* methods) {
  image::ImageStore& images = parts.images;
  (*methods)[ImagePath("ListImages")] = Unary<v1::ListImagesRequest, v1::ListImagesResponse>(
      [&images](const auto& request, auto&) -> Result<v1::ListImagesResponse> {
        TRY(auto list, List(images, request.filter));
        return v1::ListImagesResponse{std::move(list)};
      });
  (*methods)[ImagePath("StreamImages")] =
      Listed<v1::StreamImagesRequest, v1::StreamImagesResponse, &v1::StreamImagesResponse::images>(
          [&images](const auto& request) { return List(images, request.filter); });
  (*methods)[ImagePath("ImageStatus")] = Unary<v1::ImageStatusRequest, v1::ImageStatusResponse>(
      [&images](const auto& request, auto&) { return Status(images, request); });
  (*methods)[ImagePath("PullImage")] = Unary<v1::PullImageRequest, v1::PullImageResponse>(
      [&parts](const auto& request, auto& call) { return Pull(parts, request, call); });
  (*methods)[ImagePath("RemoveImage")] = Unary<v1::RemoveImageRequest, v1::RemoveImageResponse>(
      [&images](const auto& request, auto&) { return Remove(images, request); });
  (*methods)[ImagePath("ImageFsInfo")] = Unary<v1::ImageFsInfoRequest, v1::ImageFsInfoResponse>(
      [&parts](const auto&, auto&) { return FileSystems(parts); });
}

}  // namespace podium::cri
