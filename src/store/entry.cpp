#include "store/entry.h"

#include <cstring>
#include <new>

namespace podium::store {

EntryPtr Entry::Make(std::string_view key, std::optional<std::string_view> value, Numbers numbers) {
  const std::string_view bytes = value.value_or(std::string_view());
  void* memory = ::operator new(sizeof(Entry) + key.size() + bytes.size());
  auto* entry = new (memory) Entry(key.size(), bytes.size(), !value, numbers);
  std::memcpy(entry->bytes(), key.data(), key.size());
  if (!bytes.empty()) std::memcpy(entry->bytes() + key.size(), bytes.data(), bytes.size());
  return EntryPtr(entry);
}

const Attachment& Entry::Attach(std::unique_ptr<const Attachment> attachment) const {
  const Attachment* there = nullptr;
  if (attachment_.compare_exchange_strong(there, attachment.get(), std::memory_order_acq_rel)) {
    return *attachment.release();
  }
  return *there;
}

Entry::~Entry() { delete attachment_.load(std::memory_order_acquire); }

void Entry::Drop() const {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  this->~Entry();
  ::operator delete(const_cast<Entry*>(this));
}

}  // namespace podium::store
