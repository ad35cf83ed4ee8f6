// Reads a plan (plan_layout.h) that someone else wrote. Nothing of it is used before everything in
// it has been checked, so the stages need no checks of their own.
//
// Compiled into the shim without a C library and into the tests with one; makes no system call.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/plan_layout.h"

namespace podium::runtime::shim {

class PlanReader {
 public:
  // Whether `bytes`, aligned to 8, are a plan: every reference is inside, every text ends with a
  // NUL and has no other, every number is one that the kernel can be given. `descriptors`: how many
  // came with it. Keeps a view of the bytes.
  bool Open(std::span<const unsigned char> bytes, uint32_t descriptors);

  // Only after Open.
  const PlanHeader& header() const { return *header_; }
  // NUL-ended.
  std::string_view Text(TextRef ref) const;
  std::span<const TextRef> Texts(TableRef ref) const { return Table<TextRef>(ref); }
  std::span<const PlanMount> Mounts() const { return Table<PlanMount>(header_->mounts); }
  std::span<const PlanRlimit> Rlimits() const { return Table<PlanRlimit>(header_->rlimits); }
  std::span<const uint32_t> Groups() const { return Table<uint32_t>(header_->groups); }

 private:
  template <class T>
  std::span<const T> Table(TableRef ref) const {
    return {reinterpret_cast<const T*>(bytes_.data() + ref.offset), ref.count};
  }

  bool IsText(TextRef ref) const;
  bool IsBytes(TextRef ref) const;
  bool IsPath(TextRef ref) const;
  template <class T>
  bool IsTable(TableRef ref) const;
  bool AreTexts(TableRef ref) const;
  bool IsMount(const PlanMount& mount, uint32_t descriptors) const;
  bool IsProcess() const;

  std::span<const unsigned char> bytes_;
  const PlanHeader* header_ = nullptr;
};

}  // namespace podium::runtime::shim
