// What CniNetwork keeps of each sandbox on disk: libcni's "cniCacheV1", so that its tools can read
// it.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "network/cni_network.h"
#include "network/links.h"
#include "reflect/base64.h"

namespace podium::network {

using reflect::JsonValue;
namespace fs = std::filesystem;

namespace {

constexpr const char* kKind = "cniCacheV1";
// Not in libcni's form: CNI_ARGS as it was, as its order is lost there.
constexpr const char* kArguments = "podiumArguments";

Error Damaged(const std::string& path, const std::string& why) {
  return {Code::kDataLoss, path + ": " + why};
}

std::string TextOf(const JsonValue& object, std::string_view key) {
  const JsonValue* value = object.Find(key);
  return value != nullptr && value->is_string() ? value->string() : std::string();
}

// "K=V;K=V" as a list of pairs.
JsonValue PairsOf(std::string_view arguments) {
  JsonValue::Array pairs;
  while (!arguments.empty()) {
    const std::string_view one = arguments.substr(0, arguments.find(';'));
    arguments.remove_prefix(std::min(one.size() + 1, arguments.size()));
    const size_t equals = one.find('=');
    if (equals == std::string_view::npos) continue;
    JsonValue::Array pair;
    pair.push_back(JsonValue::String(std::string(one.substr(0, equals))));
    pair.push_back(JsonValue::String(std::string(one.substr(equals + 1))));
    pairs.push_back(JsonValue::Of(std::move(pair)));
  }
  return JsonValue::Of(std::move(pairs));
}

// Whole and on disk before it has its name.
Result<void> WriteFile(const std::string& path, const std::string& text) {
  const std::string partial = path + ".new";
  {
    const UniqueFd file(
        open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return Error::FromErrno(errno, partial);
    if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        fdatasync(file.get()) != 0) {
      return Error::FromErrno(errno, "writing " + partial);
    }
  }
  if (rename(partial.c_str(), path.c_str()) != 0) return Error::FromErrno(errno, path);
  return {};
}

}  // namespace

std::string CniNetwork::CachePath(const std::string& network, const std::string& sandbox_id) const {
  return options_.cache_dir + "/" + network + "-" + sandbox_id + "-" + kPodInterface;
}

Result<void> CniNetwork::Save(const Attachment& attachment) const {
  JsonValue cache = JsonValue::Of(JsonValue::Object{});
  cache.Set("kind", JsonValue::String(kKind));
  cache.Set("containerId", JsonValue::String(attachment.sandbox_id));
  std::string config;
  reflect::AppendBase64(attachment.config.text, &config);
  cache.Set("config", JsonValue::String(std::move(config)));
  cache.Set("ifName", JsonValue::String(kPodInterface));
  cache.Set("networkName", JsonValue::String(attachment.config.name));
  cache.Set("netns", JsonValue::String(NetnsPath(attachment.sandbox_id)));
  cache.Set("cniArgs", PairsOf(attachment.arguments));
  cache.Set(kArguments, JsonValue::String(attachment.arguments));
  cache.Set("capabilityArgs", attachment.capabilities);
  if (!attachment.result.empty()) {
    TRY(JsonValue result, reflect::ParseJson(attachment.result, {.max_depth = 100}));
    cache.Set("result", std::move(result));
  }
  return WriteFile(CachePath(attachment.config.name, attachment.sandbox_id), ToText(cache));
}

Result<CniNetwork::Attachment> CniNetwork::Load(const std::string& path) const {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(Code::kNotFound, path + " is not there");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto cache = reflect::ParseJson(text, {.max_depth = 100});
  if (!cache.ok()) return Damaged(path, cache.error().message());
  if (!cache->is_object() || TextOf(*cache, "kind") != kKind) return Damaged(path, "is no cache");
  std::string config;
  if (reflect::DecodeBase64(TextOf(*cache, "config"), &config)) {
    return Damaged(path, "its configuration cannot be read");
  }
  Attachment attachment;
  attachment.sandbox_id = TextOf(*cache, "containerId");
  if (!CheckSandboxId(attachment.sandbox_id).ok()) return Damaged(path, "has no sandbox id");
  auto parsed = ParseCniConfig(config);
  if (!parsed.ok()) return Damaged(path, parsed.error().message());
  attachment.config = *std::move(parsed);
  attachment.arguments = TextOf(*cache, kArguments);
  if (const JsonValue* given = cache->Find("capabilityArgs"); given && given->is_object()) {
    attachment.capabilities = *given;
  }
  if (const JsonValue* result = cache->Find("result"); result && result->is_object()) {
    attachment.result = ToText(*result);
  }
  return attachment;
}

Result<std::vector<CniNetwork::Attachment>> CniNetwork::All() const {
  std::vector<Attachment> attachments;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(options_.cache_dir, error)) {
    if (entry.path().extension() == ".new") {
      std::error_code left;
      fs::remove(entry.path(), left);
      continue;
    }
    TRY(Attachment attachment, Load(entry.path().string()));
    attachments.push_back(std::move(attachment));
  }
  return attachments;
}

Result<CniNetwork::Attachment> CniNetwork::Find(const std::string& sandbox_id) const {
  // By name: network names and ids may both have dashes.
  const std::string ending = "-" + sandbox_id + "-" + kPodInterface;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(options_.cache_dir, error)) {
    if (!entry.path().filename().string().ends_with(ending)) continue;
    TRY(Attachment attachment, Load(entry.path().string()));
    if (attachment.sandbox_id == sandbox_id) return attachment;
  }
  return Error(Code::kNotFound, "sandbox " + sandbox_id + " has no network");
}

Result<void> CniNetwork::Forget(const Attachment& attachment) const {
  const std::string path = CachePath(attachment.config.name, attachment.sandbox_id);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Error::FromErrno(errno, path);
  return {};
}

}  // namespace podium::network
