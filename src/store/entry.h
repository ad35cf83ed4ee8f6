// Entry: what one key had from one revision on. Immutable once it is in a store, and shared: GET,
// LIST and WATCH, and whoever else asks, hold the same entry, whose bytes were made once, at the
// write. Key and value lie in the same block of memory as the rest.
//
// How an API object becomes an entry. The value is the object's JSON without
// metadata.resourceVersion, which is not known before the store has taken it (and which etcd does
// not write into a value either): it is the entry's mod_revision, and whoever answers a request
// puts it into the text on the way out. The store never looks into a value. The decoded form
// (reflect/object.h) and whatever else is worth making once for all readers, such as the labels
// that selectors ask for, hangs on the entry as its attachment, so that components in one process
// share that as well. How long a decoded form lives is up to the attachment: it goes with the
// entry, or earlier where it holds a weak pointer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace podium::store {

// Counts changes of a whole store, from 1; every change has one of its own. 0: none.
using Revision = int64_t;

class Entry;

// Counts references; null like a pointer. One object of it is for one thread at a time, as with
// std::shared_ptr; the entry is for all.
class EntryPtr {
 public:
  EntryPtr() = default;
  EntryPtr(std::nullptr_t) {}  // NOLINT: implicit on purpose, as a pointer's
  EntryPtr(const EntryPtr& other);
  EntryPtr(EntryPtr&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  EntryPtr& operator=(EntryPtr other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~EntryPtr();

  explicit operator bool() const { return entry_ != nullptr; }
  const Entry* get() const { return entry_; }
  const Entry* operator->() const { return entry_; }
  const Entry& operator*() const { return *entry_; }
  friend bool operator==(const EntryPtr& a, const EntryPtr& b) = default;

 private:
  friend class Entry;
  friend class History;
  // Takes over a reference.
  explicit EntryPtr(Entry* entry) : entry_(entry) {}

  Entry* entry_ = nullptr;
};

// What a reader has made of an entry and leaves there for the next one.
class Attachment {
 public:
  Attachment() = default;
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  virtual ~Attachment() = default;
};

class Entry {
 public:
  // What a change is numbered with.
  struct Numbers {
    Revision create = 0;  // of the change that made the key
    Revision mod = 0;     // of this change
    int64_t version = 0;  // how many changes since then, with this one: 1, 2, …; 0 for a deletion
  };

  // For implementations of Store. Copies the bytes; no value: a deletion.
  static EntryPtr Make(std::string_view key, std::optional<std::string_view> value,
                       Numbers numbers);

  std::string_view key() const { return {bytes(), key_size_}; }
  // Empty for a deletion, and maybe otherwise.
  std::string_view value() const { return {bytes() + key_size_, value_size_}; }
  // The key was deleted at mod_revision: then create_revision and version are 0.
  bool deleted() const { return deleted_; }
  Revision create_revision() const { return numbers_.create; }
  Revision mod_revision() const { return numbers_.mod; }
  int64_t version() const { return numbers_.version; }
  const Numbers& numbers() const { return numbers_; }

  // Null until there is one. Any thread.
  const Attachment* attachment() const { return attachment_.load(std::memory_order_acquire); }
  // Leaves one for all who hold the entry; when several do, the first stays, the others are
  // dropped. Returns the one that stays, which lives as long as the entry. Any thread.
  const Attachment& Attach(std::unique_ptr<const Attachment> attachment) const;

  // The bytes that it takes, without the attachment.
  size_t memory() const { return sizeof(Entry) + key_size_ + value_size_; }

 private:
  friend class EntryPtr;
  friend class History;
  Entry(size_t key_size, size_t value_size, bool deleted, Numbers numbers)
      : key_size_(static_cast<uint32_t>(key_size)),
        value_size_(static_cast<uint32_t>(value_size)),
        deleted_(deleted),
        numbers_(numbers) {}
  ~Entry();
  void Drop() const;
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  char* bytes() { return reinterpret_cast<char*>(this + 1); }

  mutable std::atomic<uint32_t> references_{1};
  const uint32_t key_size_;
  const uint32_t value_size_;
  const bool deleted_;
  const Numbers numbers_;
  mutable std::atomic<const Attachment*> attachment_{nullptr};
  // What the key had before, as long as History keeps it: History's, under its owner's lock.
  mutable EntryPtr older_;
};

inline EntryPtr::EntryPtr(const EntryPtr& other) : entry_(other.entry_) {
  if (entry_ != nullptr) entry_->references_.fetch_add(1, std::memory_order_relaxed);
}
inline EntryPtr::~EntryPtr() {
  if (entry_ != nullptr) entry_->Drop();
}

}  // namespace podium::store
