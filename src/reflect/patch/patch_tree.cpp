#include "reflect/patch/patch_tree.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace podium::reflect {

PatchNode::PatchNode() = default;
PatchNode::PatchNode(PatchNode&& other) noexcept = default;
PatchNode& PatchNode::operator=(PatchNode&& other) noexcept = default;
PatchNode::~PatchNode() = default;

PatchNode::PatchNode(JsonValue value) {
  if (value.is_object() || value.is_array()) {
    container_ = std::make_unique<PatchContainer>(std::move(value));
  } else {
    scalar_ = std::move(value);
  }
}

size_t PatchNode::height() const { return container_ ? container_->height() : 0; }

bool PatchNode::SameAs(const JsonValue& value) const {
  return container_ ? container_->SameAs(value) : Equivalent(scalar_, value);
}

JsonValue PatchNode::Copy() const { return container_ ? container_->Copy() : scalar_; }

JsonValue PatchNode::Take() {
  if (!container_) return std::move(scalar_);
  JsonValue value = container_->Take();
  container_.reset();
  return value;
}

PatchContainer::PatchContainer(JsonValue value) : is_object_(value.is_object()) {
  if (is_object_) {
    members_.reserve(value.object().size());
    for (JsonValue::Member& member : value.object()) {
      members_.push_back({std::move(member.key), PatchNode(std::move(member.value))});
      Enter(members_.back().value);
    }
    return;
  }
  for (JsonValue& element : value.array()) {
    if (blocks_.empty() || blocks_.back().size() == kBlock) blocks_.emplace_back();
    blocks_.back().emplace_back(std::move(element));
    Enter(blocks_.back().back());
  }
}

size_t PatchContainer::PlaceOf(std::string_view key) {
  if (members_.size() <= kFew) {
    const auto is_it = [&](const Member& member) { return !member.gone && member.key == key; };
    return static_cast<size_t>(std::ranges::find_if(members_, is_it) - members_.begin());
  }
  if (index_.empty()) {
    index_.reserve(size_);
    for (size_t i = 0; i < members_.size(); ++i) {
      if (!members_[i].gone) index_.emplace(members_[i].key, i);
    }
  }
  const auto found = index_.find(std::string(key));
  return found == index_.end() ? members_.size() : found->second;
}

PatchNode* PatchContainer::Find(std::string_view key) {
  const size_t place = PlaceOf(key);
  return place < members_.size() ? &members_[place].value : nullptr;
}

void PatchContainer::Append(std::string_view key, PatchNode value) {
  const size_t before = height();
  if (!index_.empty()) index_.emplace(key, members_.size());
  members_.push_back({std::string(key), std::move(value)});
  Enter(members_.back().value);
  Grew(before);
}

PatchNode PatchContainer::Erase(std::string_view key) {
  const size_t place = PlaceOf(key);
  const size_t before = height();
  PatchNode value = std::move(members_[place].value);
  members_[place].gone = true;
  index_.erase(members_[place].key);
  Leave(value);
  Grew(before);
  // Without this, members that come and go would leave holes to be looked through again and again
  // by an index that is built anew because it is empty.
  if (size_ == 0) members_.clear();
  return value;
}

PatchContainer::Spot PatchContainer::SpotOf(size_t index) const {
  size_t block = 0;
  while (block + 1 < blocks_.size() && index >= blocks_[block].size()) {
    index -= blocks_[block].size();
    ++block;
  }
  return {block, index};
}

PatchNode* PatchContainer::At(size_t index) {
  const Spot spot = SpotOf(index);
  return &blocks_[spot.block][spot.index];
}

void PatchContainer::Insert(size_t index, PatchNode value) {
  const size_t before = height();
  if (blocks_.empty()) blocks_.emplace_back();
  const Spot spot = SpotOf(index);
  Block& block = blocks_[spot.block];
  Enter(*block.insert(block.begin() + static_cast<ptrdiff_t>(spot.index), std::move(value)));
  if (block.size() > 2 * kBlock) {
    const auto half = block.begin() + kBlock;
    Block second(std::make_move_iterator(half), std::make_move_iterator(block.end()));
    block.erase(half, block.end());
    blocks_.insert(blocks_.begin() + static_cast<ptrdiff_t>(spot.block) + 1, std::move(second));
  }
  Grew(before);
}

PatchNode PatchContainer::Erase(size_t index) {
  const size_t before = height();
  const Spot spot = SpotOf(index);
  Block& block = blocks_[spot.block];
  PatchNode value = std::move(block[spot.index]);
  block.erase(block.begin() + static_cast<ptrdiff_t>(spot.index));
  if (block.empty()) blocks_.erase(blocks_.begin() + static_cast<ptrdiff_t>(spot.block));
  Leave(value);
  Grew(before);
  return value;
}

void PatchContainer::Replace(PatchNode* place, PatchNode value) {
  const size_t before = height();
  Leave(*place);
  *place = std::move(value);
  Enter(*place);
  Grew(before);
}

void PatchContainer::Enter(const PatchNode& value) {
  ++size_;
  if (value.container() == nullptr) return;
  value.container()->parent_ = this;
  CountHeight(value.height());
}

void PatchContainer::Leave(const PatchNode& value) {
  --size_;
  if (value.container() == nullptr) return;
  value.container()->parent_ = nullptr;
  DropHeight(value.height());
}

void PatchContainer::CountHeight(size_t height) { ++heights_[height]; }

void PatchContainer::DropHeight(size_t height) {
  const auto found = heights_.find(height);
  if (--found->second == 0) heights_.erase(found);
}

void PatchContainer::Grew(size_t height_before) {
  PatchContainer* inner = this;
  while (inner->parent_ != nullptr && inner->height() != height_before) {
    PatchContainer* outer = inner->parent_;
    const size_t outer_before = outer->height();
    outer->DropHeight(height_before);
    outer->CountHeight(inner->height());
    inner = outer;
    height_before = outer_before;
  }
}

bool PatchContainer::SameAs(const JsonValue& value) {
  if (is_object_) {
    return value.is_object() && value.object().size() == size_ &&
           std::ranges::all_of(value.object(), [&](const JsonValue::Member& member) {
             const PatchNode* there = Find(member.key);
             return there != nullptr && there->SameAs(member.value);
           });
  }
  if (!value.is_array() || value.array().size() != size_) return false;
  auto element = value.array().begin();
  for (const Block& block : blocks_) {
    for (const PatchNode& node : block) {
      if (!node.SameAs(*element++)) return false;
    }
  }
  return true;
}

JsonValue PatchContainer::Copy() const {
  if (is_object_) {
    JsonValue::Object members;
    members.reserve(size_);
    for (const Member& member : members_) {
      if (!member.gone) members.push_back({member.key, member.value.Copy()});
    }
    return JsonValue::Of(std::move(members));
  }
  JsonValue::Array elements;
  elements.reserve(size_);
  for (const Block& block : blocks_) {
    for (const PatchNode& node : block) elements.push_back(node.Copy());
  }
  return JsonValue::Of(std::move(elements));
}

JsonValue PatchContainer::Take() {
  if (is_object_) {
    JsonValue::Object members;
    members.reserve(size_);
    for (Member& member : members_) {
      if (!member.gone) members.push_back({std::move(member.key), member.value.Take()});
    }
    return JsonValue::Of(std::move(members));
  }
  JsonValue::Array elements;
  elements.reserve(size_);
  for (Block& block : blocks_) {
    for (PatchNode& node : block) elements.push_back(node.Take());
  }
  return JsonValue::Of(std::move(elements));
}

}  // namespace podium::reflect
