#include "reflect/patch/strategic_merge.h"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "reflect/go_value_text.h"
#include "reflect/patch/members.h"
#include "reflect/patch/patch_lists.h"

namespace podium::reflect {
namespace {

Error Malformed(std::string_view of_what) {
  return {Code::kInvalidArgument, fmt::format("invalid patch format of {}", of_what)};
}

bool Is(const JsonValue& directive, std::string_view word) {
  return directive.is_string() && directive.string() == word;
}

// Behind the slash of "$setElementOrder/KEY".
std::optional<std::string> KeyBehind(std::string_view prefix, std::string_view member) {
  if (member.size() <= prefix.size() || member[prefix.size()] != '/') return std::nullopt;
  return std::string(member.substr(prefix.size() + 1));
}

void DropNulls(JsonValue* value) {
  if (value->is_object()) {
    std::erase_if(value->object(), [](const auto& member) { return member.value.is_null(); });
    for (auto& member : value->object()) DropNulls(&member.value);
  } else if (value->is_array()) {
    for (JsonValue& element : value->array()) DropNulls(&element);
  }
}

// Objects with a directive do not stay, wherever they are. False when the value itself is one.
bool DropDirectives(JsonValue* value) {
  if (value->is_object()) {
    if (value->Find(kDirective) != nullptr) return false;
    std::erase_if(value->object(), [](auto& member) { return !DropDirectives(&member.value); });
  } else if (value->is_array()) {
    std::erase_if(value->array(), [](JsonValue& element) { return !DropDirectives(&element); });
  }
  return true;
}

class Merger {
 public:
  explicit Merger(MergeInto into) : into_patch_(into == MergeInto::kPatch) {}

  Result<void> MergeObject(const ObjectSchema& schema, JsonValue patch, JsonValue* original) const {
    if (const JsonValue* found = patch.Find(kDirective)) {
      const JsonValue directive = *found;
      if (Is(directive, kReplace)) {
        patch.Erase(kDirective);
        *original = std::move(patch);
        return {};
      }
      if (Is(directive, kDelete)) {
        original->object().clear();
        return {};
      }
      return BadPatchType(directive, patch);
    }
    TRY_VOID(RetainKeys(&patch, original));
    Members from(&patch);
    Members to(original);
    for (size_t i = 0; i < from.places(); ++i) {
      if (from.IsGone(i) || !from.At(i).key.starts_with(kSetElementOrder)) continue;
      TRY_VOID(OrderList(schema, from.At(i).key, &from, &to));
    }
    for (size_t i = 0; i < from.places(); ++i) {
      if (from.IsGone(i)) continue;
      auto& [key, value] = from.At(i);
      TRY_VOID(MergeMember(schema, key, std::move(value), &to));
    }
    return {};
  }

 private:
  Result<void> RetainKeys(JsonValue* patch, JsonValue* original) const {
    const JsonValue* found = patch->Find(kRetainKeys);
    if (found == nullptr) return {};
    JsonValue keys = *found;
    patch->Erase(kRetainKeys);
    if (into_patch_) {
      const JsonValue* theirs = original->Find(kRetainKeys);
      if (theirs == nullptr) {
        original->Set(kRetainKeys, std::move(keys));
      } else if (!Equivalent(*theirs, keys)) {
        return Error(Code::kInternal,
                     fmt::format("{} and {} are not deep equal: this may happen when calculating "
                                 "the 3-way diff patch",
                                 GoText(*theirs), GoText(keys)));
      }
      return {};
    }
    if (!keys.is_array()) return Malformed("retainKeys");
    std::set<std::string_view> retained;
    for (const JsonValue& key : keys.array()) {
      if (key.is_string()) retained.insert(key.string());
    }
    for (const auto& [key, value] : patch->object()) {
      if (value.is_null() || key.starts_with(kDeleteFromPrimitiveList) ||
          key.starts_with(kSetElementOrder)) {
        continue;
      }
      if (!retained.contains(key)) return Malformed("retainKeys");
    }
    std::erase_if(original->object(),
                  [&](const auto& member) { return !retained.contains(member.key); });
    return {};
  }

  // A list that a member "$setElementOrder/KEY" of the patch orders; both are then done with.
  Result<void> OrderList(const ObjectSchema& schema, const std::string& name, Members* from,
                         Members* to) const {
    const JsonValue order = std::move(*from->Find(name));
    if (into_patch_) {
      if (const JsonValue* theirs = to->Find(name)) {
        if (!Equivalent(*theirs, order)) return Malformed("setElementOrder list");
      } else {
        to->Set(name, order);
      }
    }
    from->Erase(name);
    if (!order.is_array()) return BadArgument(GoType::kSlice, order);
    const std::optional<std::string> key = KeyBehind(kSetElementOrder, name);
    if (!key) return Malformed("setElementOrder list");
    JsonValue* there = to->Find(*key);
    JsonValue* change = from->Find(*key);
    if (there && !there->is_array()) return BadArgument(GoType::kSlice, *there);
    if (change && !change->is_array()) return BadArgument(GoType::kSlice, *change);
    TRY(const MemberSchema member, LookUp(schema, *key));
    if (change) TRY_VOID(CheckOrder(change->array(), order.array(), member.merge_key));
    if (!there && !change) return {};

    const JsonValue::Array none;
    TRY_VOID(ElementType({there ? &there->array() : &none, change ? &change->array() : &none}));
    KeyIndex live;
    if (there) {
      TRY(live, KeyIndex::Of(there->array(), member.merge_key));
    }
    TRY(const KeyIndex wanted, KeyIndex::Of(order.array(), member.merge_key));
    JsonValue::Array merged;
    if (there && change) {
      TRY(merged, MergeList(member, std::move(there->array()), std::move(change->array()), false));
    } else if (there) {
      merged = std::move(there->array());
    } else {
      DropDirectives(change);
      merged = std::move(change->array());
    }
    TRY(JsonValue::Array ordered, InOrder(std::move(merged), wanted, live, member.merge_key));
    to->Set(*key, JsonValue::Of(std::move(ordered)));
    from->Erase(*key);
    return {};
  }

  // The elements of a patch's list, deletions aside, stand in the order that the patch asks for,
  // and it names them all.
  static Result<void> CheckOrder(const JsonValue::Array& changes, const JsonValue::Array& order,
                                 std::string_view merge_key) {
    if (order.empty()) return {};
    size_t place = 0;
    for (const JsonValue& element : changes) {
      if (!merge_key.empty() && !element.is_object()) return BadArgument(GoType::kMap, element);
      if (element.Find(kDirective) != nullptr) continue;
      for (;; ++place) {
        if (place == order.size()) {
          return Error(Code::kInternal,
                       fmt::format("the order in patch list:\n{}\n doesn't match {} list:\n{}",
                                   GoText(JsonValue::Of(changes)), kSetElementOrder,
                                   GoText(JsonValue::Of(order))));
        }
        TRY(const std::string mine, ElementKey(element, merge_key));
        TRY(const std::string theirs, ElementKey(order[place], merge_key));
        if (mine == theirs) break;
      }
      ++place;
    }
    return {};
  }

  Result<void> MergeMember(const ObjectSchema& schema, const std::string& name, JsonValue value,
                           Members* to) const {
    std::string key = name;
    bool deletes = false;
    if (name.starts_with(kDeleteFromPrimitiveList)) {
      if (into_patch_) {
        to->Set(name, std::move(value));
        return {};
      }
      const std::optional<std::string> list = KeyBehind(kDeleteFromPrimitiveList, name);
      if (!list) return Malformed("primitive list");
      key = *list;
      deletes = true;
    }
    if (value.is_null()) {
      to->Erase(key);
      if (!into_patch_) return {};
    }
    JsonValue* there = to->Find(key);
    if (there == nullptr || GoTypeOf(*there) != GoTypeOf(value)) {
      if (!deletes) Take(key, std::move(value), to);
      return {};
    }
    if (value.is_object()) {
      TRY(const MemberSchema member, LookUp(schema, key));
      if (!member.replace) return MergeObject(member.object, std::move(value), there);
      *there = std::move(value);
      return {};
    }
    if (value.is_array()) {
      TRY(const MemberSchema member, LookUp(schema, key));
      if (!member.merge && !deletes) {
        *there = std::move(value);
        return {};
      }
      TRY(JsonValue::Array merged,
          MergeList(member, std::move(there->array()), std::move(value.array()), deletes));
      *there = JsonValue::Of(std::move(merged));
      return {};
    }
    *there = std::move(value);
    return {};
  }

  // A value that is not merged with anything.
  void Take(const std::string& key, JsonValue value, Members* to) const {
    if (!into_patch_) DropNulls(&value);
    if (DropDirectives(&value)) {
      to->Set(key, std::move(value));
    } else {
      to->Erase(key);
    }
  }

  Result<JsonValue::Array> MergeList(const MemberSchema& member, JsonValue::Array live,
                                     JsonValue::Array changes, bool deletes) const {
    if (!member.merge && !deletes) return changes;
    if (live.empty() && changes.empty()) return live;
    TRY(const GoType type, ElementType({&live, &changes}));
    if (type != GoType::kMap) return MergeScalars(std::move(live), std::move(changes), deletes);
    if (member.merge_key.empty()) {
      return Error(Code::kInternal, fmt::format("cannot merge lists without merge key for {}",
                                                member.element.kind()));
    }
    return MergeObjects(member, std::move(live), std::move(changes));
  }

  static Result<JsonValue::Array> MergeScalars(JsonValue::Array live, JsonValue::Array changes,
                                               bool deletes) {
    std::set<std::string> keys;
    if (deletes) {
      for (const JsonValue& element : changes) keys.insert(KeyOf(element));
      std::erase_if(live, [&](const JsonValue& element) { return keys.contains(KeyOf(element)); });
      return live;
    }
    TRY(const KeyIndex order, KeyIndex::Of(changes, {}));
    TRY(const KeyIndex places, KeyIndex::Of(live, {}));
    JsonValue::Array merged;
    for (JsonValue::Array* list : {&live, &changes}) {
      for (JsonValue& element : *list) {
        if (keys.insert(KeyOf(element)).second) merged.push_back(std::move(element));
      }
    }
    return InOrder(std::move(merged), order, places, {});
  }

  Result<JsonValue::Array> MergeObjects(const MemberSchema& member, JsonValue::Array live,
                                        JsonValue::Array changes) const {
    const std::string_view merge_key = member.merge_key;
    JsonValue::Array plain;
    std::set<std::string> deleted;
    bool replaced = false;
    for (JsonValue& element : changes) {
      const JsonValue* directive = element.Find(kDirective);
      if (directive == nullptr) {
        plain.push_back(std::move(element));
      } else if (Is(*directive, kDelete)) {
        TRY(std::string key, ElementKey(element, merge_key));
        deleted.insert(std::move(key));
      } else if (Is(*directive, kReplace)) {
        replaced = true;
      } else if (Is(*directive, kMerge)) {
        return Error(Code::kInternal, "merging lists cannot yet be specified in the patch");
      } else {
        return BadPatchType(*directive, element);
      }
    }
    // An element without the key is none that can be meant.
    const auto key_in_live = [&](const JsonValue& element) {
      const JsonValue* key = element.Find(merge_key);
      return key ? KeyOf(*key) : std::string();
    };
    if (replaced) {
      live = std::move(plain);
      plain.clear();
    } else if (!deleted.empty()) {
      std::erase_if(live,
                    [&](const auto& element) { return deleted.contains(key_in_live(element)); });
    }
    KeyIndex live_places;
    KeyIndex places;  // also of what is new
    for (size_t i = 0; i < live.size(); ++i) {
      std::string key = key_in_live(live[i]);
      if (key.empty()) continue;
      live_places.Add(key, i);
      places.Add(std::move(key), i);
    }
    TRY(const KeyIndex order, KeyIndex::Of(plain, merge_key));
    JsonValue::Array merged = std::move(live);
    for (JsonValue& element : plain) {
      TRY(std::string key, ElementKey(element, merge_key));
      const ptrdiff_t place = places.Find(key);
      if (place >= 0) {
        TRY_VOID(
            MergeObject(member.element, std::move(element), &merged[static_cast<size_t>(place)]));
        continue;
      }
      places.Add(std::move(key), merged.size());
      if (!into_patch_) {
        DropNulls(&element);
        DropDirectives(&element);
      }
      merged.push_back(std::move(element));
    }
    return InOrder(std::move(merged), order, live_places, merge_key);
  }

  const bool into_patch_;
};

}  // namespace

Result<void> MergeStrategic(const ObjectSchema& schema, MergeInto into, JsonValue patch,
                            JsonValue* original) {
  return Merger(into).MergeObject(schema, std::move(patch), original);
}

}  // namespace podium::reflect
