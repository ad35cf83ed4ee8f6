#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reflect/go_value_text.h"
#include "reflect/patch/members.h"
#include "reflect/patch/patch_lists.h"
#include "reflect/patch/patch_schema.h"
#include "reflect/patch/strategic_merge.h"
#include "reflect/patch/strategic_patch.h"
#include "reflect/yaml.h"

namespace podium::reflect {
namespace {

JsonValue EmptyObject() { return JsonValue::Of(JsonValue::Object{}); }

// What of the differences goes into the patch.
struct Wanted {
  bool changes = true;
  bool deletions = true;
  bool order = true;
};

class Differ {
 public:
  explicit Differ(Wanted wanted) : wanted_(wanted) {}

  Result<JsonValue> Objects(const ObjectSchema& schema, bool retain_keys, const JsonValue& from,
                            const JsonValue& to) const {
    JsonValue patch = EmptyObject();
    Members out(&patch);
    Members before = Members::Of(from);
    Members after = Members::Of(to);
    std::vector<std::string> retained;
    for (const auto& [key, value] : to.object()) {
      if (retain_keys && !value.is_null()) retained.push_back(key);
      const JsonValue* old = before.Find(key);
      if (old != nullptr && key == kDirective) {
        TRY_VOID(Directives(*old, value, &out));
      } else if (old == nullptr || GoTypeOf(*old) != GoTypeOf(value)) {
        if (wanted_.changes) out.Set(key, value);
      } else {
        TRY_VOID(Values(schema, key, *old, value, &out));
      }
    }
    bool dropped = false;
    for (const auto& [key, value] : from.object()) {
      if (after.Find(key) != nullptr) continue;
      if (wanted_.deletions) out.Set(key, JsonValue());
      dropped = dropped || !value.is_null();
    }
    if (!retained.empty() && (out.places() > 0 || dropped)) {
      std::ranges::sort(retained);
      JsonValue::Array keys;
      for (std::string& key : retained) keys.push_back(JsonValue::String(std::move(key)));
      out.Set(kRetainKeys, JsonValue::Of(std::move(keys)));
    }
    return patch;
  }

 private:
  static Result<void> Directives(const JsonValue& old, const JsonValue& value, Members* out) {
    if (!old.is_string() || !value.is_string()) {
      return Error(Code::kInternal, "invalid value for special key: $patch");
    }
    if (old != value) out->Set(kDirective, value);
    return {};
  }

  // Of one GoType.
  Result<void> Values(const ObjectSchema& schema, const std::string& key, const JsonValue& old,
                      const JsonValue& value, Members* out) const {
    if (!value.is_object() && !value.is_array()) {
      if (wanted_.changes && !Equivalent(old, value)) out->Set(key, value);
      return {};
    }
    const Result<MemberSchema> member = LookUp(schema, key);
    if (!member.ok()) {
      // What nothing is known of does not matter while it stays the same.
      if (Equivalent(old, value)) return {};
      return member.error();
    }
    if (value.is_object() && member->replace) {
      if (wanted_.changes && !Equivalent(old, value)) out->Set(key, value);
      return {};
    }
    if (value.is_object()) {
      TRY(JsonValue change, Objects(member->object, member->retain_keys, old, value));
      if (!change.object().empty()) out->Set(key, std::move(change));
      return {};
    }
    if (!member->merge) {
      if (wanted_.changes && !Equivalent(old, value)) out->Set(key, value);
      return {};
    }
    return Lists(*member, key, old.array(), value.array(), out);
  }

  Result<void> Lists(const MemberSchema& member, const std::string& key,
                     const JsonValue::Array& old, const JsonValue::Array& now, Members* out) const {
    if (old.empty()) {
      if (!now.empty() && wanted_.changes) out->Set(key, JsonValue::Of(now));
      return {};
    }
    TRY(const GoType type, ElementType({&old, &now}));
    if (type == GoType::kMap) return ObjectLists(member, key, old, now, out);
    return ScalarLists(key, old, now, out);
  }

  Result<void> ScalarLists(const std::string& key, const JsonValue::Array& old,
                           const JsonValue::Array& now, Members* out) const {
    // Of equal elements as many as there are more of, as upstream counts; deletions name each once.
    std::multiset<std::string> left;
    for (const JsonValue& element : old) left.insert(KeyOf(element));
    JsonValue::Array added;
    for (const JsonValue& element : now) {
      const auto found = left.find(KeyOf(element));
      if (found != left.end()) {
        left.erase(found);
      } else if (wanted_.changes) {
        added.push_back(element);
      }
    }
    JsonValue::Array deleted;
    if (wanted_.deletions) {
      std::set<std::string> named;
      for (const JsonValue& element : old) {
        const std::string its = KeyOf(element);
        if (left.contains(its) && named.insert(its).second) deleted.push_back(element);
      }
      std::ranges::sort(deleted, {}, GoText);
    }
    const bool same = Equivalent(JsonValue::Of(old), JsonValue::Of(now));
    if (!added.empty()) out->Set(key, JsonValue::Of(std::move(added)));
    const bool order = wanted_.order && (!deleted.empty() || (wanted_.changes && !same));
    if (!deleted.empty()) {
      out->Set(fmt::format("{}/{}", kDeleteFromPrimitiveList, key),
               JsonValue::Of(std::move(deleted)));
    }
    if (order && !now.empty()) {
      out->Set(fmt::format("{}/{}", kSetElementOrder, key), JsonValue::Of(now));
    }
    return {};
  }

  // By merge key, in the order that upstream compares in.
  static Result<std::vector<const JsonValue*>> Sorted(const JsonValue::Array& list,
                                                      std::string_view merge_key) {
    std::vector<const JsonValue*> sorted;
    for (const JsonValue& element : list) {
      if (element.Find(merge_key) == nullptr) return NoMergeKey(element, merge_key);
      sorted.push_back(&element);
    }
    std::ranges::sort(sorted, {}, [&](const JsonValue* element) {
      return std::pair(GoText(*element->Find(merge_key)), element);
    });
    return sorted;
  }

  Result<void> ObjectLists(const MemberSchema& member, const std::string& key,
                           const JsonValue::Array& old, const JsonValue::Array& now,
                           Members* out) const {
    const std::string_view merge_key = member.merge_key;
    TRY(const std::vector<const JsonValue*> before, Sorted(old, merge_key));
    TRY(const std::vector<const JsonValue*> after, Sorted(now, merge_key));
    JsonValue::Array changes;
    JsonValue::Array deletions;
    size_t i = 0;
    size_t j = 0;
    while (i < before.size() || j < after.size()) {
      const JsonValue* its = i < before.size() ? before[i]->Find(merge_key) : nullptr;
      const JsonValue* their = j < after.size() ? after[j]->Find(merge_key) : nullptr;
      const int order = !its ? 1 : !their ? -1 : GoText(*its).compare(GoText(*their));
      if (order == 0) {
        TRY(JsonValue change, Objects(member.element, member.retain_keys, *before[i], *after[j]));
        if (!change.object().empty()) {
          change.Set(merge_key, *their);
          changes.push_back(std::move(change));
        }
        ++i;
        ++j;
      } else if (order > 0) {
        if (wanted_.changes) changes.push_back(*after[j]);
        ++j;
      } else {
        if (wanted_.deletions) {
          JsonValue deletion = EmptyObject();
          deletion.Set(kDirective, JsonValue::String(std::string(kDelete)));
          deletion.Set(merge_key, *its);
          deletions.push_back(std::move(deletion));
        }
        ++i;
      }
    }
    TRY(const KeyIndex places, KeyIndex::Of(now, merge_key));
    TRY_VOID(SortLike(places, merge_key, &changes));
    for (JsonValue& deletion : deletions) changes.push_back(std::move(deletion));
    TRY(const bool same_order, SameOrder(old, now, merge_key));
    const bool any = !changes.empty();
    const bool order =
        wanted_.order && ((wanted_.changes && (any || !same_order)) || (wanted_.deletions && any));
    if (any) out->Set(key, JsonValue::Of(std::move(changes)));
    if (!order || now.empty()) return {};
    JsonValue::Array keys;
    for (const JsonValue& element : now) {
      JsonValue& only = keys.emplace_back(EmptyObject());
      only.Set(merge_key, *element.Find(merge_key));
    }
    out->Set(fmt::format("{}/{}", kSetElementOrder, key), JsonValue::Of(std::move(keys)));
    return {};
  }

  static Result<bool> SameOrder(const JsonValue::Array& old, const JsonValue::Array& now,
                                std::string_view merge_key) {
    if (old.size() != now.size()) return false;
    for (size_t i = 0; i < old.size(); ++i) {
      TRY(const std::string mine, ElementKey(old[i], merge_key));
      TRY(const std::string theirs, ElementKey(now[i], merge_key));
      if (mine != theirs) return false;
    }
    return true;
  }

  const Wanted wanted_;
};

// Whether two patches change one thing in different ways.
class Conflicts {
 public:
  static Result<bool> InObjects(const ObjectSchema& schema, const JsonValue& left,
                                const JsonValue& right) {
    for (const auto& [key, value] : left.object()) {
      if (key == kDirective || key == kRetainKeys) continue;
      const JsonValue* other = right.Find(key);
      if (other == nullptr) continue;
      // Orders are not compared: of them, each says what it knows.
      if (key.starts_with(kSetElementOrder) || key.starts_with(kDeleteFromPrimitiveList)) continue;
      TRY(const MemberSchema member, LookUp(schema, key));
      TRY(const bool conflict, InValues(member.object, &member, value, *other));
      if (conflict) return true;
    }
    return false;
  }

 private:
  static Result<bool> InValues(const ObjectSchema& schema, const MemberSchema* list,
                               const JsonValue& left, const JsonValue& right) {
    if (left.is_object()) {
      if (!right.is_object()) return true;
      const JsonValue* mine = left.Find(kDirective);
      const JsonValue* theirs = right.Find(kDirective);
      if ((mine == nullptr) != (theirs == nullptr)) return true;
      if (mine && !Equivalent(*mine, *theirs)) return true;
      if (list && list->replace) return false;
      return InObjects(schema, left, right);
    }
    if (!left.is_array()) return !Equivalent(left, right);
    if (!right.is_array()) return true;
    return InLists(list ? *list : MemberSchema(), left.array(), right.array());
  }

  // Lists that replace each other: scalars as sets, objects one by one.
  static Result<bool> InPlainLists(const MemberSchema& member, GoType type,
                                   const JsonValue::Array& left, const JsonValue::Array& right) {
    if (left.size() != right.size()) return true;
    if (type != GoType::kMap) {
      std::set<std::string> mine;
      std::set<std::string> theirs;
      for (const JsonValue& element : left) mine.insert(KeyOf(element));
      for (const JsonValue& element : right) theirs.insert(KeyOf(element));
      return mine != theirs;
    }
    for (size_t i = 0; i < left.size(); ++i) {
      TRY(const bool conflict, InValues(member.element, nullptr, left[i], right[i]));
      if (conflict) return true;
    }
    return false;
  }

  static Result<bool> InLists(const MemberSchema& member, const JsonValue::Array& left,
                              const JsonValue::Array& right) {
    TRY(const GoType type, ElementType({&left, &right}));
    if (!member.merge) return InPlainLists(member, type, left, right);
    // Lists of scalars that are merged have no conflicts.
    if (type != GoType::kMap) return false;
    TRY(const KeyIndex places, KeyIndex::Of(right, member.merge_key));
    for (const JsonValue& element : left) {
      TRY(const std::string key, ElementKey(element, member.merge_key));
      const ptrdiff_t place = places.Find(key);
      if (place < 0) continue;
      TRY(const bool conflict,
          InValues(member.element, nullptr, element, right[static_cast<size_t>(place)]));
      if (conflict) return true;
    }
    return false;
  }
};

std::string YamlOf(const JsonValue& value) {
  std::string yaml;
  WriteYaml(value, &yaml);
  return yaml;
}

Result<void> CheckDocuments(std::initializer_list<const JsonValue*> documents) {
  for (const JsonValue* document : documents) {
    if (!document->is_object()) return Error(Code::kInvalidArgument, "invalid JSON document");
  }
  return {};
}

}  // namespace

Result<JsonValue> MakeStrategicPatch(const Type& type, const JsonValue& from, const JsonValue& to) {
  TRY_VOID(CheckDocuments({&from, &to}));
  return Differ(Wanted()).Objects({&type}, false, from, to);
}

Result<JsonValue> MakeThreeWayPatch(const Type& type, const JsonValue& original,
                                    const JsonValue& modified, const JsonValue& current,
                                    const ThreeWayOptions& options) {
  TRY_VOID(CheckDocuments({&original, &modified, &current}));
  const ObjectSchema schema{&type};
  // What is to be added or changed is what differs from the current state; what is to go is what
  // the last configuration had.
  TRY(JsonValue delta, Differ({.deletions = false}).Objects(schema, false, current, modified));
  TRY(JsonValue patch, Differ({.changes = false}).Objects(schema, false, original, modified));
  TRY_VOID(MergeStrategic(schema, MergeInto::kPatch, std::move(delta), &patch));
  if (options.overwrite) return patch;
  TRY(const JsonValue since, Differ({.order = false}).Objects(schema, false, original, current));
  TRY(const bool conflict, Conflicts::InObjects(schema, patch, since));
  if (!conflict) return patch;
  return Error(
      Code::kConflict,
      fmt::format("patch:\n{}\nconflicts with changes made from original to current:\n{}\n",
                  YamlOf(patch), YamlOf(since)));
}

}  // namespace podium::reflect
