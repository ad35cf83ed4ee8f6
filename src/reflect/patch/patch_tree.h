// A JSON document while the operations of a JSON patch change it. Private to reflect/patch.
//
// A patch of some thousand operations may aim all of them at one object or list that fills the
// document. As a JsonValue each would look through all members, move all that stand behind what
// comes and goes, and to know how deep a value is would look through all of it. Here
// - a large object has an index, and what is taken out of it leaves a hole until the end;
// - a list is kept in blocks, of which one changes;
// - every container knows its height, and how many of each height are in it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reflect/json_value.h"

namespace podium::reflect {

class PatchContainer;

// A value: a scalar, or the owner of an object or list.
class PatchNode {
 public:
  PatchNode();  // null
  // Takes the value apart; it may be as deep as ParseJson lets it be.
  explicit PatchNode(JsonValue value);
  PatchNode(PatchNode&& other) noexcept;
  PatchNode& operator=(PatchNode&& other) noexcept;
  ~PatchNode();

  // Null for a scalar.
  PatchContainer* container() const { return container_.get(); }
  // Objects and lists in each other; 0 for a scalar.
  size_t height() const;
  // Whether it and the value say the same, as reflect::Equivalent. Time is linear in `value`.
  bool SameAs(const JsonValue& value) const;
  JsonValue Copy() const;
  // The value again; this is null after that.
  JsonValue Take();

 private:
  JsonValue scalar_;
  std::unique_ptr<PatchContainer> container_;
};

class PatchContainer {
 public:
  explicit PatchContainer(JsonValue value);
  PatchContainer(const PatchContainer&) = delete;
  PatchContainer& operator=(const PatchContainer&) = delete;

  bool is_object() const { return is_object_; }
  size_t size() const { return size_; }
  size_t height() const { return heights_.empty() ? 1 : heights_.rbegin()->first + 1; }

  // Of an object. Null when there is no such member; valid until the next change.
  PatchNode* Find(std::string_view key);
  void Append(std::string_view key, PatchNode value);
  // A member that is there.
  PatchNode Erase(std::string_view key);
  // Of a list, with an index below its size.
  PatchNode* At(size_t index);
  // Also at its end.
  void Insert(size_t index, PatchNode value);
  PatchNode Erase(size_t index);
  // Puts another value in the place of one of this container's.
  void Replace(PatchNode* place, PatchNode value);

  bool SameAs(const JsonValue& value);
  JsonValue Copy() const;
  JsonValue Take();

 private:
  struct Member {
    std::string key;
    PatchNode value;
    bool gone = false;
  };
  using Block = std::vector<PatchNode>;
  struct Spot {
    size_t block;
    size_t index;  // in the block
  };
  // Blocks are about as many as there are elements in each when a list fills a request.
  static constexpr size_t kBlock = 1024;
  // Of few members an index would cost more than it saves.
  static constexpr size_t kFew = 16;

  // The place in members_, or their number.
  size_t PlaceOf(std::string_view key);
  Spot SpotOf(size_t index) const;
  // What came into this container, or is about to leave it.
  void Enter(const PatchNode& value);
  void Leave(const PatchNode& value);
  void CountHeight(size_t height);
  void DropHeight(size_t height);
  // Tells those around this how high it is now.
  void Grew(size_t height_before);

  const bool is_object_;
  size_t size_ = 0;
  PatchContainer* parent_ = nullptr;
  std::map<size_t, size_t> heights_;  // of containers in this: how many there are of each
  std::vector<Member> members_;
  std::unordered_map<std::string, size_t> index_;  // when it has any: of all that are not gone
  std::vector<Block> blocks_;
};

}  // namespace podium::reflect
