#include "image/registry_config.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/unique_fd.h"
#include "http/url.h"
#include "reflect/json_value.h"

namespace podium::image {
namespace {

using reflect::JsonValue;

constexpr size_t kMaxFile = size_t{4} << 20;
constexpr uint64_t kMaxParallel = 64;

Error Invalid(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Result<std::string> ReadFromDisk(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Error::FromErrno(errno, path);
  std::string text;
  std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t count = read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::FromErrno(errno, path);
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
    if (text.size() > kMaxFile) return Error(Code::kResourceExhausted, path + ": too large");
  }
}

Result<void> ReadBool(const JsonValue& value, const std::string& where, bool* out) {
  if (!value.is_bool()) return Invalid(where + ": neither true nor false");
  *out = value.boolean();
  return {};
}

Result<uint64_t> ReadCount(const JsonValue& value, const std::string& where) {
  uint64_t count = 0;
  const std::string_view text = value.is_number() ? std::string_view(value.number()) : "";
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return Invalid(where + ": not a whole number from 0 on");
  }
  return count;
}

// The content of the file that a member names.
Result<void> ReadNamed(const JsonValue& value, const std::string& where, const FileReader& files,
                       std::string* out) {
  if (!value.is_string()) return Invalid(where + ": not a path");
  auto text = files(value.string());
  if (!text.ok()) return Invalid(where + ": " + text.error().message());
  *out = *std::move(text);
  return {};
}

Result<void> ReadMirrors(const JsonValue& value, const std::string& where,
                         std::vector<std::string>* out) {
  if (!value.is_array()) return Invalid(where + ": not a list");
  out->clear();
  for (const JsonValue& mirror : value.array()) {
    if (!mirror.is_string()) return Invalid(where + ": not a list of URLs");
    auto url = http::Url::Parse(mirror.string());
    if (!url.ok()) return Invalid(where + ": " + url.error().message());
    if (url->scheme != "https" && url->scheme != "http") {
      return Invalid(where + ": " + mirror.string() + " is neither of https nor of http");
    }
    out->push_back(mirror.string());
  }
  return {};
}

Result<void> ReadMember(const std::string& key, const JsonValue& value, const std::string& where,
                        const FileReader& files, RegistrySettings* settings) {
  if (key == "mirrors") return ReadMirrors(value, where, &settings->mirrors);
  if (key == "plainHTTP") return ReadBool(value, where, &settings->plain_http);
  if (key == "skipVerify") return ReadBool(value, where, &settings->tls.skip_verify);
  if (key == "caFile") return ReadNamed(value, where, files, &settings->tls.extra_roots);
  if (key == "certFile") return ReadNamed(value, where, files, &settings->tls.certificate);
  if (key == "keyFile") return ReadNamed(value, where, files, &settings->tls.key);
  return Invalid(where + ": unknown");
}

Result<void> ReadRegistries(const JsonValue& value, const FileReader& files,
                            RegistryOptions* options) {
  if (!value.is_object()) return Invalid("registries: not an object");
  for (const auto& [host, settings] : value.object()) {
    std::string where = "registries[\"";
    where.append(host).append("\"]");
    if (!settings.is_object()) return Invalid(where + ": not an object");
    for (const auto& [key, member] : settings.object()) {
      std::string place = where;
      place.append(".").append(key);
      TRY_VOID(ReadMember(key, member, place, files, &options->registries[host]));
    }
    const http::TlsOptions& tls = options->registries[host].tls;
    if (tls.certificate.empty() != tls.key.empty()) {
      return Invalid(where + ": certFile and keyFile belong together");
    }
  }
  return {};
}

}  // namespace

FileReader ReadSmallFile() { return ReadFromDisk; }

Result<void> ReadRegistryOptions(std::string_view json, const FileReader& files,
                                 RegistryOptions* options) {
  if (json.size() > kMaxFile) return Invalid("larger than 4 MiB");
  TRY(const JsonValue root, reflect::ParseJson(json, {.max_depth = 16}));
  if (!root.is_object()) return Invalid("not a JSON object");
  for (const auto& [key, value] : root.object()) {
    if (key == "registries") {
      TRY_VOID(ReadRegistries(value, files, options));
    } else if (key == "parallelLayers") {
      TRY(const uint64_t count, ReadCount(value, key));
      if (count < 1 || count > kMaxParallel) return Invalid(key + ": not from 1 to 64");
      options->parallel_layers = count;
    } else if (key == "maxLayerSize") {
      TRY(options->max_layer_size, ReadCount(value, key));
    } else if (key == "maxImageSize") {
      TRY(options->max_image_size, ReadCount(value, key));
    } else {
      return Invalid(key + ": unknown");
    }
  }
  return {};
}

Result<Keyring> ReadMachineKeyring(const EnvironmentReader& environment, const FileReader& files,
                                   CredentialHelper helper) {
  Keyring keyring;
  std::string path;
  const auto value = [&](const char* name) {
    const char* text = environment(name);
    return std::string(text ? text : "");
  };
  if (const std::string folder = value("DOCKER_CONFIG"); !folder.empty()) {
    path = folder + "/config.json";
  } else if (const std::string home = value("HOME"); !home.empty()) {
    path = home + "/.docker/config.json";
  } else {
    return keyring;
  }
  auto text = files(path);
  if (!text.ok()) {
    if (text.error().code() == Code::kNotFound) return keyring;
    return std::move(text).error();
  }
  auto config = ReadDockerConfigJson(*text);
  if (!config.ok()) return std::move(config).error().WithContext(path);
  keyring.Add(*config, std::move(helper));
  return keyring;
}

}  // namespace podium::image
