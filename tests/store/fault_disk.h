// A disk in memory, as a VFS of SQLite, that can fail. It keeps of every file what programs see and
// what is on the disk: a write is seen at once, and on the disk after a sync. A sync that fails
// does what Linux does: what it could not write is seen further on and is not written by the next
// sync, which succeeds. PowerFailure leaves of each write since the last sync the whole, a part or
// nothing.
//
// Every call that may fail on a disk is a step (open, read, write, truncate, sync, remove); what
// fails, and how, is set for a step by its number.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace podium::store::testing {

enum class Fault {
  kError,       // EIO; nothing happens
  kShortWrite,  // half of a write happens, then EIO; of other steps kError
  kSync,        // EIO of a sync; only these are counted
  kFull,        // ENOSPC for writes that make a file longer, from here on until space is given back
};

class FaultDisk {
 public:
  // Registers itself under its name for SQLite; one at a time per name.
  explicit FaultDisk(std::string name);
  ~FaultDisk();
  FaultDisk(const FaultDisk&) = delete;
  FaultDisk& operator=(const FaultDisk&) = delete;

  const std::string& name() const { return name_; }

  // The step (from 1, counted since here) fails; `for_ever`: and all after it.
  void FailAt(int64_t step, Fault fault, bool for_ever = false);
  // No step fails any more.
  void Heal();
  // Whether a step has failed since FailAt.
  bool has_failed() const;
  int64_t steps() const;

  // Of a machine whose processes are gone: files are closed.
  void PowerFailure(std::mt19937& random);
  // Changes a byte of a file on the disk.
  void Damage(const std::string& path, size_t at);
  size_t SizeOf(const std::string& path) const;

  struct State;

 private:
  const std::string name_;
  const std::unique_ptr<State> state_;
};

}  // namespace podium::store::testing
