#include "linux/cgroup_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "base/text.h"
#include "linux/cgroup_files.h"

namespace podium::kernel {
namespace {

constexpr int kMaxDepth = 64;  // a descriptor a level
constexpr const char* kProcs = "cgroup.procs";

Result<void> CollectProcesses(int folder, int depth, std::vector<pid_t>* pids) {
  const auto text = ReadCgroupFile(folder, kProcs);
  // ENODEV: the folder is gone since it was opened. EOPNOTSUPP: it is part of a threaded cgroup,
  // whose processes its parent lists.
  if (!text.ok() && text.error().os_errno() == ENODEV) return {};
  if (!text.ok() && text.error().os_errno() != EOPNOTSUPP) return text.error();
  if (text.ok()) {
    for (const std::string_view word : CgroupWords(*text)) {
      const auto pid = ParseCgroupNumber(word);
      // 0: a process that this pid namespace does not see.
      if (pid && *pid != 0) pids->push_back(static_cast<pid_t>(*pid));
    }
  }
  if (depth == kMaxDepth) return {};
  TRY(const std::vector<std::string> children, ChildCgroups(folder));
  for (const std::string& child : children) {
    const auto below = OpenCgroup(folder, child);
    if (below.ok()) TRY_VOID(CollectProcesses(below->get(), depth + 1, pids));
  }
  return {};
}

Error StillInUse(int folder, const std::string& name) {
  std::string message = "the cgroup " + name + " is still in use";
  const auto pids = ProcessesBelow(folder);
  constexpr size_t kNamed = 5;
  for (size_t i = 0; pids.ok() && i < std::min(pids->size(), kNamed); ++i) {
    message += (i == 0 ? ", by process " : ", ") + std::to_string((*pids)[i]);
  }
  return {Code::kDeadlineExceeded, message};
}

Result<void> RemoveFolder(int parent, const std::string& name, int depth, bool had_processes,
                          Deadline deadline) {
  auto folder = OpenCgroup(parent, name);
  if (!folder.ok() && folder.error().code() == Code::kNotFound) return {};
  TRY(const UniqueFd opened, std::move(folder));
  for (Patience patience(deadline);;) {
    TRY(const std::vector<std::string> children, ChildCgroups(opened.get()));
    for (const std::string& child : children) {
      if (depth == kMaxDepth) return Error(Code::kResourceExhausted, "cgroups nest too deeply");
      TRY_VOID(RemoveFolder(opened.get(), child, depth + 1, true, deadline));
    }
    // v1 keeps a memory cgroup that has pages after its folder is gone, and each slows the kernel.
    // (Emptying takes 2.5 ms and more, also where there is nothing to do.)
    if (had_processes && ReadCgroupNumber(opened.get(), "memory.usage_in_bytes").value_or(0) != 0) {
      (void)WriteCgroupFile(opened.get(), "memory.force_empty", "0");
    }
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    if (errno != EBUSY) return Error::FromErrno(errno, "removing the cgroup " + name);
    if (!patience.Wait()) return StillInUse(opened.get(), name);
  }
}

}  // namespace

bool Patience::Wait() {
  const auto now = std::chrono::steady_clock::now();
  if (now >= deadline_) return false;
  std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause_, deadline_ - now));
  pause_ = std::min(pause_ * 2, std::chrono::milliseconds(20));
  return true;
}

Result<std::vector<pid_t>> ProcessesBelow(int folder) {
  std::vector<pid_t> pids;
  TRY_VOID(CollectProcesses(folder, 0, &pids));
  return pids;
}

bool CgroupTree::Has(std::string_view controller) const {
  return std::ranges::find(controllers_, controller) != controllers_.end();
}

std::string CgroupTree::Path(std::span<const std::string> path) const {
  std::string text;
  for (const std::string& segment : root_) text += (text.empty() ? "" : "/") + segment;
  for (const std::string& segment : path) text += (text.empty() ? "" : "/") + segment;
  return text;
}

// v2: switches on what the folders in `parent` are to have. What cannot be switched on (EBUSY: it
// has processes of its own; EINVAL: realtime processes in the way of cpu) is missed, and told of,
// where a limit needs it.
Result<void> CgroupTree::Prepare(int parent) const {
  if (!unified_ || controllers_.empty()) return {};
  TRY(const std::string enabled, ReadCgroupFile(parent, "cgroup.subtree_control"));
  const std::vector<std::string_view> words = CgroupWords(enabled);
  std::vector<std::string> missing;
  for (const std::string& controller : controllers_) {
    if (std::ranges::find(words, controller) == words.end()) missing.push_back("+" + controller);
  }
  if (missing.empty()) return {};
  if (WriteCgroupFile(parent, "cgroup.subtree_control", Join(missing, " ")).ok()) return {};
  for (const std::string& one : missing) {
    (void)WriteCgroupFile(parent, "cgroup.subtree_control", one);
  }
  return {};
}

// Whether folders in `parent` can have every controller of the tree.
bool CgroupTree::OffersAll(int parent) const {
  const auto offered = ReadCgroupFile(parent, "cgroup.controllers");
  if (!offered.ok()) return false;
  const std::vector<std::string_view> words = CgroupWords(*offered);
  return std::ranges::all_of(controllers_, [&](const std::string& controller) {
    return std::ranges::find(words, controller) != words.end();
  });
}

// Most often what the folder is in is there already, and is as it is to be.
Result<std::optional<bool>> CgroupTree::MakeLast(std::span<const std::string> path) const {
  if (path.empty() || (!unified_ && Has("cpuset"))) return std::optional<bool>();
  auto parent = Open(path.first(path.size() - 1));
  if (!parent.ok() && parent.error().code() == Code::kNotFound) return std::optional<bool>();
  TRY(const UniqueFd opened, std::move(parent));
  if (unified_ && !OffersAll(opened.get())) return std::optional<bool>();
  TRY_VOID(Prepare(opened.get()));
  auto made = MakeCgroup(opened.get(), path.back());
  // Removed meanwhile.
  if (!made.ok() && made.error().code() == Code::kNotFound) return std::optional<bool>();
  TRY(const bool fresh, std::move(made));
  // One of the kernel's files is there as well.
  if (!fresh) TRY_VOID(OpenCgroup(opened.get(), path.back()));
  return std::optional<bool>(fresh);
}

Result<bool> CgroupTree::Make(std::span<const std::string> path) const {
  TRY(const std::optional<bool> last, MakeLast(path));
  if (last) return *last;
  std::vector<std::string> segments = root_;
  segments.insert(segments.end(), path.begin(), path.end());
  TRY(UniqueFd parent, OpenCgroup(mount_.get(), ""));
  bool made = false;
  for (const std::string& segment : segments) {
    TRY_VOID(Prepare(parent.get()));
    TRY(made, MakeCgroup(parent.get(), segment));
    TRY(UniqueFd folder, OpenCgroup(parent.get(), segment));
    if (!unified_ && Has("cpuset")) {
      TRY_VOID(cgroup_v1::InheritCpuset(parent.get(), folder.get()));
    }
    parent = std::move(folder);
  }
  return made;
}

Result<UniqueFd> CgroupTree::Open(std::span<const std::string> path) const {
  return OpenCgroup(mount_.get(), Path(path));
}

Result<UniqueFd> CgroupTree::OpenNearest(std::span<const std::string> path) const {
  while (true) {
    auto folder = Open(path);
    if (folder.ok() || folder.error().code() != Code::kNotFound || path.empty()) return folder;
    path = path.first(path.size() - 1);
  }
}

Result<void> CgroupTree::Remove(std::span<const std::string> path, bool had_processes,
                                Deadline deadline) const {
  const std::string whole = Path(path);
  // Most often it is empty, and nothing is to be done first.
  const bool has_memory = !unified_ && Has("memory") && had_processes;
  if (!has_memory && !whole.empty() &&
      (unlinkat(mount_.get(), whole.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT)) {
    return {};
  }
  const size_t slash = whole.rfind('/');
  const std::string above = slash == std::string::npos ? "" : whole.substr(0, slash);
  auto parent = OpenCgroup(mount_.get(), above);
  if (!parent.ok() && parent.error().code() == Code::kNotFound) return {};
  TRY(const UniqueFd opened, std::move(parent));
  return RemoveFolder(opened.get(), whole.substr(slash + 1), 0, had_processes, deadline);
}

void CgroupTree::RemoveEmpty(std::span<const std::string> path) const {
  (void)unlinkat(mount_.get(), Path(path).c_str(), AT_REMOVEDIR);
}

Result<void> CgroupTree::Adopt(std::span<const std::string> path, int from) const {
  TRY_VOID(Make(path));
  TRY(const UniqueFd folder, Open(path));
  // Until a look finds none that has not been moved: a process may be forking meanwhile.
  constexpr int kMaxRounds = 100;
  std::vector<pid_t> moved;
  for (int round = 0; round < kMaxRounds; ++round) {
    TRY(const std::string text, ReadCgroupFile(from, kProcs));
    const size_t before = moved.size();
    for (const std::string_view word : CgroupWords(text)) {
      const auto pid = static_cast<pid_t>(ParseCgroupNumber(word).value_or(0));
      if (pid == 0 || std::ranges::find(moved, pid) != moved.end()) continue;
      const auto written = WriteCgroupFile(folder.get(), kProcs, word);
      if (!written.ok() && written.error().os_errno() != ESRCH) return written;
      moved.push_back(pid);
    }
    if (moved.size() == before) break;
  }
  TRY(const std::vector<std::string> children, ChildCgroups(from));
  for (const std::string& child : children) {
    const auto below = OpenCgroup(from, child);
    if (!below.ok()) continue;
    std::vector<std::string> deeper(path.begin(), path.end());
    deeper.push_back(child);
    if (deeper.size() > kMaxDepth)
      return Error(Code::kResourceExhausted, "cgroups nest too deeply");
    TRY_VOID(Adopt(deeper, below->get()));
  }
  return {};
}

}  // namespace podium::kernel
