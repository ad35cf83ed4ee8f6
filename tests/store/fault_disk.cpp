#include "store/fault_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <new>
#include <utility>

namespace podium::store::testing {
namespace {

struct PendingWrite {
  size_t at;
  std::string bytes;  // empty: a truncation to `at`
};

void Put(std::string* content, const PendingWrite& write, size_t length) {
  if (write.bytes.empty()) {
    content->resize(write.at);
    return;
  }
  content->resize(std::max(content->size(), write.at + length));
  std::memcpy(content->data() + write.at, write.bytes.data(), length);
}

struct FileContent {
  std::string seen;
  std::string on_disk;
  std::vector<PendingWrite> pending;  // seen, and for the next sync
};

}  // namespace

struct FaultDisk::State {
  sqlite3_vfs vfs{};
  mutable std::mutex mutex;
  // Under mutex.
  std::map<std::string, std::shared_ptr<FileContent>> files;
  int64_t steps = 0;
  int64_t fail_at = 0;
  Fault fault = Fault::kError;
  bool for_ever = false;
  bool full = false;
  bool failed = false;

  // What happens at this step.
  std::optional<Fault> Step(bool sync = false) {
    if (fault == Fault::kSync && !sync) return std::nullopt;
    ++steps;
    if (fail_at == 0 || (for_ever ? steps < fail_at : steps != fail_at)) return std::nullopt;
    if (fault == Fault::kFull) {
      full = true;
      return std::nullopt;
    }
    failed = true;
    return fault;
  }
};

namespace {

using State = FaultDisk::State;

struct OpenFile {
  sqlite3_file base;
  State* state;
  std::shared_ptr<FileContent>* content;
};

OpenFile& Of(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }

int Close(sqlite3_file* file) {
  delete Of(file).content;
  return SQLITE_OK;
}

int Read(sqlite3_file* file, void* to, int length, sqlite3_int64 at) {
  State& state = *Of(file).state;
  std::lock_guard lock(state.mutex);
  if (state.Step()) return SQLITE_IOERR_READ;
  const std::string& seen = (*Of(file).content)->seen;
  const size_t begin = std::min(static_cast<size_t>(at), seen.size());
  const size_t there = std::min(static_cast<size_t>(length), seen.size() - begin);
  std::memcpy(to, seen.data() + begin, there);
  if (there == static_cast<size_t>(length)) return SQLITE_OK;
  std::memset(static_cast<char*>(to) + there, 0, static_cast<size_t>(length) - there);
  return SQLITE_IOERR_SHORT_READ;
}

int Write(sqlite3_file* file, const void* from, int length, sqlite3_int64 at) {
  State& state = *Of(file).state;
  std::lock_guard lock(state.mutex);
  const std::optional<Fault> fault = state.Step();
  if (fault == Fault::kError) return SQLITE_IOERR_WRITE;
  FileContent& content = **Of(file).content;
  PendingWrite write{static_cast<size_t>(at),
                     std::string(static_cast<const char*>(from), static_cast<size_t>(length))};
  if (state.full && write.at + write.bytes.size() > content.seen.size()) {
    state.failed = true;
    return SQLITE_FULL;
  }
  if (fault) write.bytes.resize(write.bytes.size() / 2);
  if (!write.bytes.empty()) {
    Put(&content.seen, write, write.bytes.size());
    content.pending.push_back(std::move(write));
  }
  return fault ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  State& state = *Of(file).state;
  std::lock_guard lock(state.mutex);
  if (state.Step()) return SQLITE_IOERR_TRUNCATE;
  FileContent& content = **Of(file).content;
  if (static_cast<size_t>(size) >= content.seen.size()) return SQLITE_OK;
  content.seen.resize(static_cast<size_t>(size));
  content.pending.push_back({static_cast<size_t>(size), {}});
  return SQLITE_OK;
}

int Sync(sqlite3_file* file, int) {
  State& state = *Of(file).state;
  std::lock_guard lock(state.mutex);
  FileContent& content = **Of(file).content;
  const bool fails = state.Step(true).has_value();
  if (!fails) {
    for (const PendingWrite& write : content.pending) {
      Put(&content.on_disk, write, write.bytes.size());
    }
  }
  // Marked clean either way.
  content.pending.clear();
  return fails ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  std::lock_guard lock(Of(file).state->mutex);
  *size = static_cast<sqlite3_int64>((*Of(file).content)->seen.size());
  return SQLITE_OK;
}

int Lock(sqlite3_file*, int) { return SQLITE_OK; }
int Unlock(sqlite3_file*, int) { return SQLITE_OK; }
int CheckReservedLock(sqlite3_file*, int* locked) {
  *locked = 0;
  return SQLITE_OK;
}
int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return 4096; }
int DeviceCharacteristics(sqlite3_file*) { return 0; }

// Version 1: without shared memory, as the store's exclusive lock needs none.
constexpr sqlite3_io_methods kMethods = {1,
                                         Close,
                                         Read,
                                         Write,
                                         Truncate,
                                         Sync,
                                         FileSize,
                                         Lock,
                                         Unlock,
                                         CheckReservedLock,
                                         FileControl,
                                         SectorSize,
                                         DeviceCharacteristics,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr};

State& Of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  State& state = Of(vfs);
  file->pMethods = nullptr;
  std::lock_guard lock(state.mutex);
  if (state.Step()) return SQLITE_CANTOPEN;
  const std::string path = name == nullptr ? "temporary" : name;
  std::shared_ptr<FileContent>& content = state.files[path];
  if (!content) content = std::make_shared<FileContent>();
  auto* opened = new (file) OpenFile{};
  opened->state = &state;
  opened->content = new std::shared_ptr<FileContent>(content);
  file->pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* name, int) {
  State& state = Of(vfs);
  std::lock_guard lock(state.mutex);
  if (state.Step()) return SQLITE_IOERR_DELETE;
  return state.files.erase(name) == 0 ? SQLITE_IOERR_DELETE_NOENT : SQLITE_OK;
}

int Access(sqlite3_vfs* vfs, const char* name, int, int* there) {
  State& state = Of(vfs);
  std::lock_guard lock(state.mutex);
  const auto found = state.files.find(name);
  *there = found != state.files.end() && !found->second->seen.empty() ? 1 : 0;
  return SQLITE_OK;
}

int FullPathname(sqlite3_vfs*, const char* name, int length, char* full) {
  sqlite3_snprintf(length, full, "%s", name);
  return SQLITE_OK;
}

sqlite3_vfs& System() { return *sqlite3_vfs_find("unix"); }
int Randomness(sqlite3_vfs*, int length, char* to) {
  return System().xRandomness(&System(), length, to);
}
int Sleep(sqlite3_vfs*, int time) { return System().xSleep(&System(), time); }
int CurrentTime(sqlite3_vfs*, double* time) { return System().xCurrentTime(&System(), time); }
int GetLastError(sqlite3_vfs* vfs, int, char*) {
  State& state = Of(vfs);
  std::lock_guard lock(state.mutex);
  return state.full ? ENOSPC : EIO;
}

}  // namespace

FaultDisk::FaultDisk(std::string name) : name_(std::move(name)), state_(std::make_unique<State>()) {
  sqlite3_vfs& vfs = state_->vfs;
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(OpenFile);
  vfs.mxPathname = 512;
  vfs.zName = name_.c_str();
  vfs.pAppData = state_.get();
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPathname;
  vfs.xRandomness = Randomness;
  vfs.xSleep = Sleep;
  vfs.xCurrentTime = CurrentTime;
  vfs.xGetLastError = GetLastError;
  sqlite3_vfs_register(&vfs, 0);
}

FaultDisk::~FaultDisk() { sqlite3_vfs_unregister(&state_->vfs); }

void FaultDisk::FailAt(int64_t step, Fault fault, bool for_ever) {
  std::lock_guard lock(state_->mutex);
  state_->steps = 0;
  state_->fail_at = step;
  state_->fault = fault;
  state_->for_ever = for_ever;
  state_->full = false;
  state_->failed = false;
}

void FaultDisk::Heal() {
  std::lock_guard lock(state_->mutex);
  state_->fail_at = 0;
  state_->full = false;
}

bool FaultDisk::has_failed() const {
  std::lock_guard lock(state_->mutex);
  return state_->failed;
}

int64_t FaultDisk::steps() const {
  std::lock_guard lock(state_->mutex);
  return state_->steps;
}

void FaultDisk::PowerFailure(std::mt19937& random) {
  std::lock_guard lock(state_->mutex);
  for (auto& [path, content] : state_->files) {
    // The disk takes writes in any order; whole sectors of each.
    std::shuffle(content->pending.begin(), content->pending.end(), random);
    for (const PendingWrite& write : content->pending) {
      switch (random() % 3) {
        case 0:
          break;
        case 1:
          if (!write.bytes.empty()) {
            Put(&content->on_disk, write, std::min<size_t>(512, write.bytes.size()));
          }
          break;
        default:
          if (!write.bytes.empty() || write.at < content->on_disk.size()) {
            Put(&content->on_disk, write, write.bytes.size());
          }
      }
    }
    content->pending.clear();
    content->seen = content->on_disk;
  }
}

void FaultDisk::Damage(const std::string& path, size_t at) {
  std::lock_guard lock(state_->mutex);
  FileContent& content = *state_->files.at(path);
  content.seen[at] = static_cast<char>(content.seen[at] ^ 0x10);
  content.on_disk = content.seen;
}

size_t FaultDisk::SizeOf(const std::string& path) const {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->files.find(path);
  return found == state_->files.end() ? 0 : found->second->seen.size();
}

}  // namespace podium::store::testing
