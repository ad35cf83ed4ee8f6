#include "node/cluster/cluster_objects.h"

#include <algorithm>
#include <condition_variable>
#include <set>
#include <thread>
#include <utility>

#include "api/pod_references.h"
#include "client/paths.h"
#include "client/watch.h"
#include "node/cluster/server_access.h"
#include "node/cluster/service_account_tokens.h"
#include "node/cluster/watched_objects.h"
#include "node/pod_origin.h"
#include "node/pod_spec.h"

namespace podium::node {
namespace {

constexpr std::string_view kMasterService = "kubernetes";
constexpr std::string_view kMasterNamespace = "default";
constexpr std::chrono::nanoseconds kLook = std::chrono::milliseconds(1);

ServerAccess AccessOf(const ClusterObjects::Options& options) {
  return {.connection = options.connection,
          .executor = options.executor,
          .clock = options.clock,
          .random = options.random,
          .on_error = options.on_error,
          .patience = options.patience};
}

bool HasAddress(const v1::Service& service) {
  return !service.spec.clusterIP.empty() && service.spec.clusterIP != "None";
}

// The object as a T.
template <class T>
Result<std::shared_ptr<const T>> As(Result<client::SharedObject> got) {
  if (!got.ok()) return std::move(got).error();
  std::shared_ptr<const T> object = got->template As<T>();
  if (!object) return client::NotOfType(reflect::TypeOf<T>(), *got);
  return object;
}

}  // namespace

// What a pod refers to, each once.
struct ClusterObjects::References {
  std::vector<WatchedObjects::Key> config_maps;
  std::vector<WatchedObjects::Key> secrets;

  static References Of(const v1::Pod& pod) {
    const auto collect = [&](const auto& visit_all) {
      std::set<WatchedObjects::Key> names;
      visit_all(pod.spec, [&](std::string_view name) {
        if (!name.empty()) names.emplace(pod.metadata.namespace_, name);
      });
      return std::vector<WatchedObjects::Key>(names.begin(), names.end());
    };
    return {.config_maps = collect(api::VisitPodConfigMaps),
            .secrets = collect(api::VisitPodSecrets)};
  }
};

// Tells of changes in a task of its own, so that whoever hears of them may take what locks it
// likes.
class ClusterObjects::Teller : public std::enable_shared_from_this<Teller> {
 public:
  explicit Teller(const Options& options)
      : executor_(*options.executor), changed_(options.changed) {}

  void Tell(const std::string& name_space) {
    if (!changed_) return;
    const std::lock_guard lock(mutex_);
    waiting_.insert(name_space);
    if (closed_ || std::exchange(posted_, true)) return;
    executor_.Post([self = shared_from_this()] { self->Run(); });
  }

  void Close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    if (runner_ == std::this_thread::get_id()) return;
    ran_.wait(lock, [&] { return runner_ == std::thread::id(); });
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    runner_ = std::this_thread::get_id();
    while (!closed_ && !waiting_.empty()) {
      const std::string name_space = std::move(waiting_.extract(waiting_.begin()).value());
      lock.unlock();
      changed_(name_space);
      lock.lock();
    }
    runner_ = {};
    posted_ = false;
    ran_.notify_all();
  }

  Executor& executor_;
  const std::function<void(const std::string&)> changed_;
  std::mutex mutex_;
  std::condition_variable ran_;
  // Under mutex_.
  std::set<std::string> waiting_;  // namespaces
  bool posted_ = false;
  bool closed_ = false;
  std::thread::id runner_;  // of the task, while it runs
};

ClusterObjects::ClusterObjects(Options options)
    : options_(std::move(options)),
      teller_(std::make_shared<Teller>(options_)),
      config_maps_(std::make_unique<WatchedObjects>(
          AccessOf(options_), "configmaps", "configmap",
          [teller = teller_](const std::string& name_space) { teller->Tell(name_space); })),
      secrets_(std::make_unique<WatchedObjects>(
          AccessOf(options_), "secrets", "secret",
          [teller = teller_](const std::string& name_space) { teller->Tell(name_space); })),
      tokens_(std::make_unique<ServiceAccountTokens>(AccessOf(options_))),
      services_(*options_.connection, {.group = "", .version = "v1", .resource = "services"},
                {.executor = options_.executor,
                 .clock = options_.clock,
                 .random = options_.random,
                 .on_error = options_.on_error}) {
  services_.Start();
}

ClusterObjects::~ClusterObjects() { teller_->Close(); }

void ClusterObjects::Follow(const v1::Pod& pod) {
  References now = References::Of(pod);
  // What stays is not let go in between.
  config_maps_->Add(now.config_maps);
  secrets_->Add(now.secrets);
  References before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(followed_[pod.metadata.uid], std::move(now));
  }
  config_maps_->Remove(before.config_maps);
  secrets_->Remove(before.secrets);
}

void ClusterObjects::Unfollow(std::string_view uid) {
  References before;
  {
    const std::lock_guard lock(mutex_);
    const auto found = followed_.find(uid);
    if (found == followed_.end()) return;
    before = std::move(found->second);
    followed_.erase(found);
  }
  config_maps_->Remove(before.config_maps);
  secrets_->Remove(before.secrets);
  tokens_->Forget(uid);
}

Result<std::shared_ptr<const v1::ConfigMap>> ClusterObjects::GetConfigMap(
    std::string_view name_space, std::string_view name) const {
  return As<v1::ConfigMap>(config_maps_->Get(name_space, name));
}

Result<std::shared_ptr<const v1::Secret>> ClusterObjects::GetSecret(std::string_view name_space,
                                                                    std::string_view name) const {
  return As<v1::Secret>(secrets_->Get(name_space, name));
}

Result<std::vector<std::shared_ptr<const v1::Service>>> ClusterObjects::ServicesFor(
    const v1::Pod& pod) const {
  // A manifest of this node's own may run where there is no server yet.
  if (OriginOf(pod) != PodOrigin::kFile) {
    for (std::chrono::nanoseconds waited{0}; !services_.HasSynced(); waited += kLook) {
      if (waited >= options_.patience) {
        return Error(Code::kUnavailable,
                     "services have not yet been read at least once, cannot construct envvars");
      }
      options_.clock->Sleep(kLook, -1);
    }
  }
  std::map<std::string, std::shared_ptr<const v1::Service>> chosen;
  const auto choose = [&](const client::SharedObject& object) {
    auto service = object.As<v1::Service>();
    if (service && HasAddress(*service)) chosen[service->metadata.name] = std::move(service);
  };
  choose(services_.Get(std::string(kMasterNamespace) + "/" + std::string(kMasterService)));
  if (pod.spec.enableServiceLinks.value_or(true)) {
    for (const auto& object : services_.List(pod.metadata.namespace_)) choose(object);
  }
  std::vector<std::shared_ptr<const v1::Service>> out;
  out.reserve(chosen.size());
  for (auto& [name, service] : chosen) out.push_back(std::move(service));
  return out;
}

Result<ServiceAccountToken> ClusterObjects::GetServiceAccountToken(
    const v1::Pod& pod, std::string_view audience,
    std::optional<int64_t> expiration_seconds) const {
  return tokens_->Get(pod, audience, expiration_seconds);
}

template <class T>
Result<std::shared_ptr<const T>> ClusterObjects::Read(std::string_view name_space,
                                                      std::string_view name) const {
  TRY(const client::Target target,
      client::TargetOf(reflect::TypeOf<T>(), {std::string(name_space), std::string(name)}));
  return As<T>(options_.connection->Get(target, {}));
}

Result<std::shared_ptr<const v1::PersistentVolumeClaim>> ClusterObjects::GetClaim(
    std::string_view name_space, std::string_view name) const {
  return Read<v1::PersistentVolumeClaim>(name_space, name);
}

Result<std::shared_ptr<const v1::PersistentVolume>> ClusterObjects::GetPersistentVolume(
    std::string_view name) const {
  return Read<v1::PersistentVolume>("", name);
}

Result<std::shared_ptr<const v1::Node>> ClusterObjects::GetNode() const {
  return Read<v1::Node>("", options_.node_name);
}

size_t ClusterObjects::watches() const { return config_maps_->watches() + secrets_->watches(); }

}  // namespace podium::node
