#include "node/static_pods.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "api/defaults.h"
#include "api/pod_references.h"
#include "api/scheme.h"
#include "api/validation/pod.h"
#include "api/validation/resources.h"
#include "api/validation/validation.h"
#include "base/text.h"
#include "node/files.h"
#include "node/pod_origin.h"
#include "node/unsupported.h"
#include "pki/digest.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/yaml.h"

namespace podium::node {
namespace {

constexpr size_t kMaxManifest = size_t{10} << 20;
constexpr size_t kUidLength = 32;
// While an older pod of the name still ends.
constexpr std::chrono::milliseconds kWait{200};
constexpr uint32_t kChanges =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;

Error Invalid(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Result<v1::Pod> Decode(std::string_view manifest) {
  reflect::YamlReader reader(manifest);
  reflect::YamlDocument document;
  TRY(const bool any, reader.Next(&document));
  if (!any) return Invalid("the file is empty");
  TRY(const reflect::JsonValue value, reflect::ParseJson(document.json));
  const auto text = [&](std::string_view key) {
    const reflect::JsonValue* found = value.Find(key);
    return found && found->is_string() ? found->string() : std::string();
  };
  if (text("apiVersion") != "v1" || text("kind") != "Pod") {
    return Invalid("a v1 Pod is wanted, and this is " +
                   (text("kind").empty() ? "of no kind" : text("apiVersion") + " " + text("kind")));
  }
  TRY(auto pod, reflect::FromJson<v1::Pod>(document.json, {.strict = false}));
  TRY(const bool more, reader.Next(&document));
  if (more) return Invalid("a manifest has one pod, and this has several documents");
  return pod;
}

// The objects of the API that a volume takes its content from; "" for none.
std::string_view ReferenceOf(const v1::Volume& volume) {
  if (volume.configMap) return "configmaps (via configmap volumes)";
  if (volume.secret) return "secrets (via secret volumes)";
  if (volume.csi) return "csidrivers (via CSI volumes)";
  if (volume.persistentVolumeClaim) return "persistentvolumeclaims";
  if (volume.ephemeral) return "persistentvolumeclaims (via ephemeral volumes)";
  if (!volume.projected) return "";
  for (const auto& source : volume.projected->sources) {
    if (source.configMap) return "configmaps (via projected volumes)";
    if (source.secret) return "secrets (via projected volumes)";
    if (source.serviceAccountToken) return "serviceaccounts (via projected volumes)";
    if (source.clusterTrustBundle) return "clustertrustbundles";
    if (source.podCertificate) return "podcertificates";
  }
  return "";
}

// Upstream's HasAPIObjectReference (pkg/api/pod).
std::string_view ReferenceOf(const v1::PodSpec& spec) {
  if (!spec.serviceAccountName.empty()) return "serviceaccounts";
  if (api::ReferencesSecrets(spec)) return "secrets";
  if (api::ReferencesConfigMaps(spec)) return "configmaps";
  if (!spec.resourceClaims.empty()) return "resourceclaims";
  for (const v1::Volume& volume : spec.volumes) {
    const std::string_view reference = ReferenceOf(volume);
    if (!reference.empty()) return reference;
  }
  return "";
}

}  // namespace

Result<v1::Pod> StaticPodOf(std::string_view manifest, std::string_view source,
                            const NodeConfig& config) {
  TRY(v1::Pod pod, Decode(manifest));
  if (pod.metadata.name.empty()) return Invalid("invalid pod: name is needed for the pod");
  auto& meta = pod.metadata;
  pod.status = {};
  if (meta.uid.empty()) {
    TRY(const std::string text, reflect::ToJson(pod));
    const std::string all = text + "host:" + config.name + "file:" + std::string(source);
    meta.uid = pki::Sha256Hex(all).substr(0, kUidLength);
  }
  meta.name += "-" + config.name;
  if (meta.namespace_.empty()) meta.namespace_ = "default";
  meta.resourceVersion.clear();
  meta.deletionTimestamp.reset();
  meta.deletionGracePeriodSeconds.reset();
  meta.annotations[std::string(kConfigHashAnnotation)] = meta.uid;
  pod.kind = "Pod";
  pod.apiVersion = "v1";
  pod.spec.nodeName = config.name;
  // Nothing drives it away from its node.
  const bool tolerates = std::ranges::any_of(pod.spec.tolerations, [](const auto& toleration) {
    return toleration.key.empty() && toleration.operator_ == "Exists" &&
           toleration.effect == "NoExecute";
  });
  if (!tolerates) {
    auto& toleration = pod.spec.tolerations.emplace_back();
    toleration.operator_ = "Exists";
    toleration.effect = "NoExecute";
  }
  api::SetDefaults(pod, {});
  api::field::ErrorList errors = api::ValidateCreate(pod);
  errors.Append(UnsupportedFields(pod));
  if (!errors.empty()) return Invalid("invalid pod: " + errors.AggregateText());
  const std::string_view reference = ReferenceOf(pod.spec);
  if (!reference.empty()) {
    return Invalid("static pods may not reference " + std::string(reference));
  }
  pod.status.phase = "Pending";
  return pod;
}

Result<std::unique_ptr<StaticPods>> StaticPods::Start(Options options) {
  std::unique_ptr<StaticPods> pods(new StaticPods(std::move(options)));
  TRY(pods->stop_, http::Cancellation::Create());
  pods->inotify_.reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!pods->inotify_) return Error::FromErrno(errno, "inotify_init1");
  pods->WatchFolder();
  pods->ReadFolder();
  (void)pods->Assign();  // whatever waits, the thread looks again
  pods->thread_ = std::thread([raw = pods.get()] { raw->Run(); });
  return pods;
}

StaticPods::~StaticPods() {
  if (stop_) stop_->Cancel();
  if (thread_.joinable()) thread_.join();
}

void StaticPods::Say(const std::string& text) const {
  if (options_.on_error) options_.on_error(text);
}

void StaticPods::WatchFolder() {
  // The same watch again where it is there; a folder that is not is looked for with each reading.
  watched_ = inotify_add_watch(inotify_.get(), options_.folder.c_str(), kChanges) >= 0;
}

void StaticPods::Run() {
  std::array<char, 4096> told{};
  std::chrono::milliseconds wait = kWait;
  while (!stop_->cancelled()) {
    std::array<pollfd, 2> fds{pollfd{stop_->fd(), POLLIN, 0}, pollfd{inotify_.get(), POLLIN, 0}};
    (void)poll(fds.data(), fds.size(), static_cast<int>(wait.count()));
    while (read(inotify_.get(), told.data(), told.size()) > 0) {
    }
    if (stop_->cancelled()) return;
    WatchFolder();
    ReadFolder();
    wait = Assign() ? std::min(kWait, options_.look_every) : options_.look_every;
  }
}

void StaticPods::ReadFolder() {
  std::map<std::string, File> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, error)) {
    const std::string path = entry.path();
    std::error_code gone;
    if (entry.path().filename().string().starts_with('.') || entry.is_directory(gone)) continue;
    const auto known = files_.find(path);
    File& file = files[path];
    if (known != files_.end()) file = std::move(known->second);
    ReadManifest(path, &file);
  }
  files_ = std::move(files);
}

void StaticPods::ReadManifest(const std::string& path, File* file) const {
  auto text = ReadSmallFile(path, kMaxManifest);
  if (!text.ok()) {
    if (text.error().code() != Code::kNotFound) Say(path + ": " + text.error().message());
    return;
  }
  if (file->text == *text) return;
  file->text = *std::move(text);
  auto pod = StaticPodOf(file->text, path, options_.agent->config());
  if (pod.ok()) {
    file->pod = std::make_shared<const v1::Pod>(*std::move(pod));
  } else {
    Say(path + ": " + pod.error().message());
  }
}

bool StaticPods::Assign() {
  Agent::Uids uids;
  for (const auto& [path, file] : files_) {
    if (file.pod) uids.insert(file.pod->metadata.uid);
  }
  options_.agent->UnassignOthers(PodOrigin::kFile, uids, options_.agent->UidsOf(PodOrigin::kFile));
  bool waiting = false;
  for (const auto& [path, file] : files_) {
    if (!file.pod) continue;
    const auto& meta = file.pod->metadata;
    const auto there = options_.agent->GetPod(meta.namespace_, meta.name);
    if (there.ok() && there->metadata.uid != meta.uid) {
      waiting = true;
      continue;
    }
    const auto assigned = options_.agent->Assign(*file.pod, PodOrigin::kFile);
    if (!assigned.ok()) Say(path + ": " + assigned.error().message());
  }
  return waiting;
}

}  // namespace podium::node
