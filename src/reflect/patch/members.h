// The members of a JSON object while a patch changes them. Private to reflect/patch and
// reflect/apply.
//
// A patch may come from anywhere and name as many members as fit into a request: of many each is
// looked up in constant time, and what goes is taken out once, at the end.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "reflect/json_value.h"

namespace podium::reflect {

class Members {
 public:
  // `object` is an object and outlives this; until Finish only this changes which members it has.
  explicit Members(JsonValue* object) : members_(&object->object()) {}
  // Only to look members up.
  static Members Of(const JsonValue& object) { return Members(const_cast<JsonValue*>(&object)); }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  ~Members() { Finish(); }

  // The value, or null. Valid until the next Set.
  JsonValue* Find(std::string_view key) {
    const size_t place = PlaceOf(key);
    return place < members_->size() ? &(*members_)[place].value : nullptr;
  }
  // In its place, or at the end.
  JsonValue& Set(std::string_view key, JsonValue value) {
    const size_t place = PlaceOf(key);
    if (place < members_->size()) return (*members_)[place].value = std::move(value);
    if (indexed_) index_.emplace(key, members_->size());
    return members_->emplace_back(JsonValue::Member{std::string(key), std::move(value)}).value;
  }
  void Erase(std::string_view key) {
    const size_t place = PlaceOf(key);
    if (place == members_->size()) return;
    if (indexed_) index_.erase(std::string(key));
    gone_.resize(members_->size());
    gone_[place] = true;
    any_gone_ = true;
  }
  // The members by place, also those that are added while they are gone through; those that are
  // gone are not to be looked at.
  size_t places() const { return members_->size(); }
  JsonValue::Member& At(size_t place) { return (*members_)[place]; }
  bool IsGone(size_t place) const { return place < gone_.size() && gone_[place]; }

  // Takes out what is gone.
  void Finish() {
    if (!any_gone_) return;
    size_t place = 0;
    std::erase_if(*members_, [&](const JsonValue::Member&) { return IsGone(place++); });
    gone_.clear();
    any_gone_ = false;
    indexed_ = false;
  }

 private:
  // Of few members, or when few are looked up, an index would cost more than it saves.
  static constexpr size_t kFew = 16;

  size_t PlaceOf(std::string_view key) {
    const size_t count = members_->size();
    if (count <= kFew || (!indexed_ && searches_++ < kFew)) {
      size_t place = 0;
      while (place < count && (IsGone(place) || (*members_)[place].key != key)) ++place;
      return place;
    }
    if (!indexed_) BuildIndex();
    const auto found = index_.find(std::string(key));
    return found == index_.end() ? count : found->second;
  }
  void BuildIndex() {
    index_.clear();
    index_.reserve(members_->size());
    for (size_t i = 0; i < members_->size(); ++i) {
      if (!IsGone(i)) index_.emplace((*members_)[i].key, i);
    }
    indexed_ = true;
  }

  JsonValue::Object* members_;
  std::unordered_map<std::string, size_t> index_;
  std::vector<bool> gone_;
  size_t searches_ = 0;
  bool any_gone_ = false;
  bool indexed_ = false;
};

}  // namespace podium::reflect
