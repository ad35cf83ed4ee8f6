#include "node/pull_records.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "api/time.h"
#include "base/image_reference.h"
#include "image/digest.h"
#include "linux/path.h"
#include "node/files.h"
#include "reflect/json_value.h"

namespace podium::node {
namespace {

using reflect::JsonValue;

constexpr size_t kMaxRecord = size_t{4} << 20;
// Secrets of namespaces that come and go must not make a record grow for ever.
constexpr size_t kMaxMatched = 100;
constexpr const char* kVersion = "kubelet.config.k8s.io/v1beta1";
constexpr const char* kPulling = "pulling";
constexpr const char* kPulled = "pulled";

std::string FileName(const std::string& text) { return "sha256-" + image::DigestOf(text).hex; }

JsonValue Document(const char* kind) {
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  out.Set("kind", JsonValue::String(kind));
  out.Set("apiVersion", JsonValue::String(kVersion));
  return out;
}

std::string TextOf(const JsonValue& value, const char* key) {
  const JsonValue* found = value.Find(key);
  return found && found->is_string() ? found->string() : std::string();
}

JsonValue JsonOf(const ImageSecret& secret) {
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  out.Set("uid", JsonValue::String(secret.uid));
  out.Set("namespace", JsonValue::String(secret.name_space));
  out.Set("name", JsonValue::String(secret.name));
  out.Set("credentialHash", JsonValue::String(secret.hash));
  return out;
}

// False when nothing is new.
bool Merge(std::vector<ImageSecret>* secrets, const ImageSecret& secret) {
  const auto same = std::ranges::find_if(
      *secrets, [&](const ImageSecret& each) { return each.SameObject(secret); });
  if (same == secrets->end()) {
    secrets->push_back(secret);
    return true;
  }
  if (same->hash == secret.hash) return false;
  same->hash = secret.hash;
  return true;
}

Result<void> Replace(const std::string& folder, const std::string& name, const JsonValue& value) {
  TRY(const UniqueFd open, kernel::MakeFolders(folder, 0700));
  return kernel::ReplaceFile(open.get(), name, reflect::ToText(value), 0600);
}

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> out;
  const auto open = kernel::OpenPath(folder, O_RDONLY | O_DIRECTORY);
  if (!open.ok()) return out;
  const auto names = kernel::ListFolder(open->get());
  if (!names.ok()) return out;
  for (const std::string& name : *names) {
    if (name.starts_with("sha256-")) out.emplace_back(folder).append("/").append(name);
  }
  return out;
}

std::string ValueIn(const std::string& path, const char* key) {
  const auto text = ReadSmallFile(path, kMaxRecord);
  if (!text.ok()) return {};
  const auto value = reflect::ParseJson(*text);
  return value.ok() ? TextOf(*value, key) : std::string();
}

}  // namespace

std::string PullRecords::Folder(const char* kind) const {
  return config_.data_dir + "/image_manager/" + kind;
}

void PullRecords::Recover(
    const std::function<std::optional<std::string>(const std::string& image)>& find) {
  const std::lock_guard lock(mutex_);
  for (const std::string& path : FilesIn(Folder(kPulling))) {
    const std::string image = ValueIn(path, "image");
    const auto id = image.empty() ? std::nullopt : find(image);
    // Nothing of an image that is not here has to be guarded.
    if (id) {
      const auto record = Read(*id);
      const bool there = record.ok() && *record;
      if (!there && !Write(*id, {}).ok()) {
        unread_.insert(image);
        continue;
      }
    }
    unlink(path.c_str());
  }
  for (const std::string& path : FilesIn(Folder(kPulled))) {
    const std::string id = ValueIn(path, "imageRef");
    if (!id.empty() && !find(id)) unlink(path.c_str());
  }
}

Result<void> PullRecords::Begin(const std::string& image) {
  const std::lock_guard lock(mutex_);
  JsonValue intent = Document("ImagePullIntent");
  intent.Set("image", JsonValue::String(image));
  TRY_VOID(Replace(Folder(kPulling), FileName(image), intent));
  ++pulling_[image];
  return {};
}

void PullRecords::End(const std::string& image) {
  const auto count = pulling_.find(image);
  if (count == pulling_.end() || --count->second > 0) return;
  pulling_.erase(count);
  unread_.erase(image);
  unlink((Folder(kPulling) + "/" + FileName(image)).c_str());
}

void PullRecords::Failed(const std::string& image) {
  const std::lock_guard lock(mutex_);
  End(image);
}

void PullRecords::Done(const std::string& image, const std::string& id,
                       const std::optional<ImageSecret>& secret) {
  const std::lock_guard lock(mutex_);
  // Without a record the intent stays, so that the image is still known to have been pulled.
  if (Add(image, id, secret).ok()) End(image);
}

Result<std::optional<PullRecords::Record>> PullRecords::Read(const std::string& id) {
  const auto text = ReadSmallFile(Folder(kPulled) + "/" + FileName(id), kMaxRecord);
  if (!text.ok() && text.error().code() == Code::kNotFound) return std::optional<Record>();
  if (!text.ok()) return text.error();
  TRY(const JsonValue value, reflect::ParseJson(*text));
  Record record;
  const JsonValue* mapping = value.Find("credentialMapping");
  if (!mapping || !mapping->is_object()) return std::optional(std::move(record));
  for (const auto& [repository, access] : mapping->object()) {
    Access& its = record[repository];
    const JsonValue* everybody = access.Find("nodePodsAccessible");
    its.everybody = everybody && everybody->is_bool() && everybody->boolean();
    const JsonValue* secrets = access.Find("kubernetesSecrets");
    if (!secrets || !secrets->is_array()) continue;
    for (const JsonValue& each : secrets->array()) {
      its.secrets.push_back({TextOf(each, "uid"), TextOf(each, "namespace"), TextOf(each, "name"),
                             TextOf(each, "credentialHash")});
    }
  }
  return std::optional(std::move(record));
}

Result<void> PullRecords::Write(const std::string& id, const Record& record) {
  JsonValue value = Document("ImagePulledRecord");
  value.Set("lastUpdatedTime",
            JsonValue::String(api::Time::FromUnix(clock_.Now() / kNanosPerSecond).String()));
  value.Set("imageRef", JsonValue::String(id));
  JsonValue mapping = JsonValue::Of(JsonValue::Object{});
  for (const auto& [repository, access] : record) {
    JsonValue its = JsonValue::Of(JsonValue::Object{});
    if (access.everybody) {
      its.Set("nodePodsAccessible", JsonValue::Bool(true));
    } else {
      JsonValue::Array secrets;
      for (const ImageSecret& secret : access.secrets) secrets.push_back(JsonOf(secret));
      its.Set("kubernetesSecrets", JsonValue::Of(std::move(secrets)));
    }
    mapping.Set(repository, std::move(its));
  }
  value.Set("credentialMapping", std::move(mapping));
  return Replace(Folder(kPulled), FileName(id), value);
}

Result<void> PullRecords::Add(const std::string& image, const std::string& id,
                              const std::optional<ImageSecret>& secret) {
  TRY(const ImageReference reference, ImageReference::Parse(image));
  // One that cannot be read says nothing that could be trusted.
  const auto read = Read(id);
  Record record = read.ok() && *read ? **read : Record();
  const auto [at, first] = record.try_emplace(reference.Repository());
  Access& access = at->second;
  if (!first && access.everybody) return {};
  if (secret) {
    if (!Merge(&access.secrets, *secret)) return {};
  } else {
    access = {.everybody = true, .secrets = {}};
  }
  return Write(id, record);
}

void PullRecords::Allow(const std::string& image, const std::string& id) {
  const std::lock_guard lock(mutex_);
  (void)Add(image, id, std::nullopt);
}

bool PullRecords::MustPull(const std::string& image, const std::string& id,
                           std::span<const ImageSecret> secrets) {
  const std::lock_guard lock(mutex_);
  const auto read = Read(id);
  // What cannot be read may say that it is somebody's.
  if (!read.ok()) return true;
  if (!*read) return pulling_.contains(image) || unread_.contains(image);
  const auto reference = ImageReference::Parse(image);
  if (!reference.ok()) return true;
  const auto access = (*read)->find(reference->Repository());
  if (access == (*read)->end()) return true;
  if (access->second.everybody) return false;
  const std::vector<ImageSecret>& known = access->second.secrets;
  for (const ImageSecret& secret : secrets) {
    for (const ImageSecret& each : known) {
      const bool same_hash = !each.hash.empty() && each.hash == secret.hash;
      const bool same_object = each.SameObject(secret);
      if (!same_hash && !same_object) continue;
      if (same_hash && same_object) return false;
      if (known.size() < kMaxMatched) {
        (void)Add(image, id, secret);
        return false;
      }
      if (same_hash) return false;
    }
  }
  return true;
}

}  // namespace podium::node
