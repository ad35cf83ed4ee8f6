#include "client/informer.h"

#include <utility>

#include "client/informer_state.h"

namespace podium::client {

Informer::Informer(Connection& connection, Target target, InformerOptions options)
    : state_(std::make_shared<InformerState>(connection, std::move(target), std::move(options))) {}

Informer::~Informer() { Stop(); }

void Informer::AddIndex(const std::string& name, IndexFunction index) {
  state_->AddIndex(name, std::move(index));
}
Informer::HandlerId Informer::AddHandler(EventHandler handler) {
  return state_->AddHandler(std::move(handler));
}
void Informer::RemoveHandler(HandlerId id) { state_->RemoveHandler(id); }
void Informer::Start() { state_->Start(); }
void Informer::Stop() { state_->Stop(); }
bool Informer::HasSynced() const { return state_->HasSynced(); }
bool Informer::HasSynced(HandlerId id) const { return state_->HasSynced(id); }
bool Informer::IsMissing() const { return state_->IsMissing(); }
std::string Informer::LastSyncResourceVersion() const { return state_->version(); }
const Target& Informer::target() const { return state_->target(); }

SharedObject Informer::Get(std::string_view key) const {
  return state_->WithStore([&](const ObjectStore& store) { return store.Get(key); });
}
std::vector<SharedObject> Informer::List(std::string_view name_space) const {
  return state_->WithStore([&](const ObjectStore& store) { return store.List(name_space); });
}
Result<std::vector<SharedObject>> Informer::ByIndex(std::string_view index,
                                                    std::string_view value) const {
  return state_->WithStore([&](const ObjectStore& store) { return store.ByIndex(index, value); });
}
Result<std::vector<std::string>> Informer::IndexValues(std::string_view index) const {
  return state_->WithStore([&](const ObjectStore& store) { return store.IndexValues(index); });
}
size_t Informer::size() const {
  return state_->WithStore([](const ObjectStore& store) { return store.objects().size(); });
}

Informer& InformerFactory::For(const Target& target) {
  const std::lock_guard lock(mutex_);
  const std::string key = target.group + "/" + target.version + "/" + target.resource + "/" +
                          target.namespace_ + "/" + target.name +
                          (target.metadata_only ? "#metadata" : "");
  std::unique_ptr<Informer>& informer = informers_[key];
  if (!informer) {
    informer = std::make_unique<Informer>(connection_, target, options_);
    if (stopped_) informer->Stop();
    if (started_) informer->Start();
  }
  return *informer;
}

void InformerFactory::Start() {
  const std::lock_guard lock(mutex_);
  started_ = true;
  for (const auto& [key, informer] : informers_) informer->Start();
}

void InformerFactory::Stop() {
  std::vector<Informer*> informers;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const auto& [key, informer] : informers_) informers.push_back(informer.get());
  }
  // Without the lock: what still runs may ask for another one.
  for (Informer* informer : informers) informer->Stop();
}

bool InformerFactory::HasSynced() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, informer] : informers_) {
    if (!informer->HasSynced()) return false;
  }
  return true;
}

}  // namespace podium::client
