#include "store/plan.h"

#include <fmt/format.h>

namespace podium::store {

Result<void> CheckWrite(const Write& write) {
  if (write.key.empty()) return Error(Code::kInvalidArgument, "a key must not be empty");
  if (write.key.size() > kMaxKeyBytes) {
    return Error(Code::kInvalidArgument,
                 fmt::format("a key of {} bytes: the most are {}", write.key.size(), kMaxKeyBytes));
  }
  if (write.value && write.value->size() > kMaxValueBytes) {
    return Error(Code::kInvalidArgument, fmt::format("a value of {} bytes: the most are {}",
                                                     write.value->size(), kMaxValueBytes));
  }
  return {};
}

EntryPtr Plan::Present(std::string_view key) const {
  const auto planned = planned_.find(key);
  EntryPtr entry = planned != planned_.end() ? planned->second : history_.Newest(key);
  return entry && !entry->deleted() ? entry : nullptr;
}

Written Plan::Add(const Write& write) {
  Written written;
  written.revision = revision_;
  written.previous = Present(write.key);
  const EntryPtr& previous = written.previous;
  if (write.expected && *write.expected != (previous ? previous->mod_revision() : 0)) {
    return written;
  }
  if (!write.value && !previous) return written;
  Entry::Numbers numbers{.mod = ++revision_};
  if (write.value) {
    numbers.create = previous ? previous->create_revision() : revision_;
    numbers.version = previous ? previous->version() + 1 : 1;
  }
  written.changed = true;
  written.revision = revision_;
  written.entry = Entry::Make(write.key, write.value, numbers);
  planned_[written.entry->key()] = written.entry;
  changes_.push_back(written.entry);
  return written;
}

}  // namespace podium::store
