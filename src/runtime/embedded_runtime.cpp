#include "runtime/embedded_runtime.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "linux/path.h"
#include "runtime/filters.h"
#include "runtime/host_facts.h"
#include "runtime/isolators/all.h"
#include "runtime/shim_programs.h"

namespace podium::runtime {
namespace {

constexpr mode_t kPrivate = 0700;
// For layers at the end of the runtime: those of usual containers take milliseconds.
constexpr std::chrono::milliseconds kLayerPatience{2000};

Error NotFound(const char* what, std::string_view id) {
  return {Code::kNotFound, std::string("an error occurred when try to find ") + what + " \"" +
                               std::string(id) + "\": not found"};
}

std::string_view TextOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

EmbeddedRuntime::EmbeddedRuntime(EmbeddedOptions options, image::ImageStore& images,
                                 network::Network& network, kernel::CgroupDriver& cgroups)
    : options_(std::move(options)),
      images_(images),
      network_(network),
      cgroups_(cgroups),
      layers_(
          [this](const Error& error) { Warn("removing a writable layer: " + error.message()); }),
      roots_(options_.instance.data_dir + "/roots", options_.instance.data_dir + "/places", images_,
             options_.prepared, [this](std::string folder) { layers_.Add(std::move(folder)); }) {}

Result<std::unique_ptr<EmbeddedRuntime>> EmbeddedRuntime::Open(EmbeddedOptions options,
                                                               image::ImageStore& images,
                                                               network::Network& network,
                                                               kernel::CgroupDriver& cgroups) {
  std::unique_ptr<EmbeddedRuntime> runtime(
      new EmbeddedRuntime(std::move(options), images, network, cgroups));
  TRY_VOID(runtime->Prepare());
  return runtime;
}

Result<void> EmbeddedRuntime::Prepare() {
  run_folder_ = options_.instance.run_dir + "/sandboxes";
  data_folder_ = options_.instance.data_dir + "/containers";
  TRY_VOID(kernel::MakeFolders(run_folder_, kPrivate));
  TRY_VOID(kernel::MakeFolders(data_folder_, kPrivate));
  places_ = options_.instance.data_dir + "/places";
  TRY_VOID(MakePlaces(places_));
  TRY(host_, FindHostFacts(cgroups_.mode()));
  // Whether the kernel takes such a limit shows only when it is asked for one.
  kernel::CgroupLimits any_device;
  any_device.devices.emplace().push_back({.allow = true, .type = 'a', .access = "rwm"});
  TRY_VOID(cgroups_.Create(OwnCgroup(kRuntimeCgroup), any_device));
  host_.limits_devices = cgroups_.LimitsDevices();
  for (const std::string& sentence : HostWarnings()) Warn(sentence);
  if (host_.apparmor) {
    default_apparmor_.Begin([this](const std::string& sentence) { Warn(sentence); });
  }
  TRY(shim_program_, kernel::SealedMemory("podium-shim", TextOf(ShimProgram())));
  TRY(infra_program_, kernel::SealedMemory("pause", TextOf(InfraProgram())));
  TRY(loop_,
      ShimLoop::Start({
          .exited = [this](uint64_t key, const shim::ProcessState& state) { OnExited(key, state); },
          .log_trouble =
              [this](uint64_t, const shim::LogTrouble& trouble) {
                if (trouble.error == 0) return;
                Warn("the log of container " + std::string(trouble.id) +
                     " takes no more: " + Error::FromErrno(trouble.error, "write").message());
              },
          .log_grown =
              [this](uint64_t, const shim::LogGrown& grown) {
                const std::lock_guard lock(event_mutex_);
                if (log_handler_) log_handler_(grown.id, grown.written);
              },
          .gone = [this](uint64_t key) { OnGone(key); },
      }));
  worker_ = std::thread([this] { WorkLoop(); });
  return {};
}

EmbeddedRuntime::~EmbeddedRuntime() {
  {
    const std::lock_guard lock(work_mutex_);
    stopping_ = true;
    work_posted_.notify_all();
  }
  if (worker_.joinable()) worker_.join();
  std::deque<Prepared> prepared;
  {
    const std::lock_guard lock(mutex_);
    prepared.swap(prepared_);
  }
  for (Prepared& one : prepared) Discard(std::move(one));
  // No more events. Shims of pods live on without this connection.
  loop_.reset();
  TakeAllAway();
  roots_.Clear();
  layers_.Finish(kLayerPatience);
  // A sandbox and its containers hold each other.
  for (const auto& [id, sandbox] : sandboxes_) sandbox->containers.clear();
}

std::vector<std::string> EmbeddedRuntime::TakeWarnings() {
  for (std::string& sentence : cgroups_.TakeWarnings()) Warn(sentence);
  const std::lock_guard lock(mutex_);
  return std::exchange(warnings_, {});
}

void EmbeddedRuntime::Warn(const std::string& sentence) {
  constexpr size_t kMaxWarnings = 1000;
  const std::lock_guard lock(mutex_);
  if (warned_.size() >= kMaxWarnings || std::ranges::find(warned_, sentence) != warned_.end())
    return;
  warned_.push_back(sentence);
  warnings_.push_back(sentence);
}

size_t EmbeddedRuntime::prepared() const {
  const std::lock_guard lock(mutex_);
  return prepared_.size();
}

void EmbeddedRuntime::SetEventHandler(EventHandler handler) {
  const std::lock_guard lock(event_mutex_);
  handler_ = std::move(handler);
}

void EmbeddedRuntime::SetLogHandler(LogHandler handler, uint64_t bound) {
  log_bound_ = bound;
  const std::lock_guard lock(event_mutex_);
  log_handler_ = std::move(handler);
}

std::string EmbeddedRuntime::SandboxFolder(std::string_view id) const {
  return run_folder_ + '/' + std::string(id);
}

std::string EmbeddedRuntime::ContainerFolder(const Container& container) const {
  return SandboxFolder(container.sandbox->id) + "/containers/" + container.id;
}

std::string EmbeddedRuntime::LayerFolder(std::string_view id) const {
  return data_folder_ + '/' + std::string(id);
}

Result<EmbeddedRuntime::SandboxRef> EmbeddedRuntime::GetSandbox(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = FindById(sandboxes_, id);
  if (found == sandboxes_.end()) return NotFound("sandbox", id);
  return found->second;
}

Result<EmbeddedRuntime::ContainerRef> EmbeddedRuntime::GetContainer(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = FindById(containers_, id);
  if (found == containers_.end()) return NotFound("container", id);
  return found->second;
}

Result<EmbeddedRuntime::ContainerRef> EmbeddedRuntime::GetRunning(std::string_view id) const {
  TRY(ContainerRef container, GetContainer(id));
  const std::lock_guard lock(mutex_);
  if (container->status.state != cri::ContainerState::kContainerRunning) {
    return Error(Code::kInvalidArgument,
                 "container is in " + std::string(StateName(container->status.state)) + " state");
  }
  return container;
}

Result<void> EmbeddedRuntime::Reserve(const std::string& kind, const std::string& name,
                                      const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto [entry, fresh] = names_.emplace(kind + ' ' + name, id);
  if (fresh || entry->second == id) return {};
  return Error(Code::kAlreadyExists, "failed to reserve " + kind + " name \"" + name +
                                         "\": name \"" + name + "\" is reserved for \"" +
                                         entry->second + '"');
}

void EmbeddedRuntime::Release(const std::string& name, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(name);
  if (found != names_.end() && found->second == id) names_.erase(found);
}

void EmbeddedRuntime::Later(std::function<void()> work) {
  const std::lock_guard lock(work_mutex_);
  if (stopping_) return;
  work_.push_back(std::move(work));
  work_posted_.notify_one();
}

void EmbeddedRuntime::WorkLoop() {
  std::unique_lock lock(work_mutex_);
  while (!stopping_) {
    if (!work_.empty()) {
      const std::function<void()> work = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      work();
      lock.lock();
      continue;
    }
    const auto now = std::chrono::steady_clock::now();
    const auto remains = RemainsAt();
    const auto refill = starting_ > 0 ? std::nullopt : refill_at_;
    if (remains && *remains <= now) {
      const std::function<void()> work = std::move(remains_.front().second);
      remains_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    } else if (!refill || *refill > now) {
      auto until = remains;
      if (refill && (!until || *refill < *until)) until = refill;
      if (until) {
        work_posted_.wait_until(lock, *until);
      } else {
        work_posted_.wait(lock);
      }
    } else {
      refill_at_.reset();
      lock.unlock();
      Refill();
      lock.lock();
    }
  }
}

}  // namespace podium::runtime
