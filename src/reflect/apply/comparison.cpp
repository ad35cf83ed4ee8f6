#include "reflect/apply/comparison.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reflect/patch/members.h"

namespace podium::reflect {
namespace {

// Of one value: what is behind it, and the sets that its own path is in.
struct Outcome {
  Comparison behind{};
  bool added = false;
  bool modified = false;
  bool removed = false;
};

using Values = std::vector<const JsonValue*>;

bool SameValues(const Values& before, const Values& after) {
  if (before.size() != after.size()) return false;
  for (size_t i = 0; i < before.size(); ++i) {
    if (!Equivalent(*before[i], *after[i])) return false;
  }
  return true;
}

void Take(const PathElement& step, Outcome outcome, Comparison* into) {
  into->added.Add(step, outcome.added, std::move(outcome.behind.added));
  into->modified.Add(step, outcome.modified, std::move(outcome.behind.modified));
  into->removed.Add(step, outcome.removed, std::move(outcome.behind.removed));
}

// Either may be null, for what is not there.
void CompareValues(const ValueSchema& schema, const JsonValue* before, const JsonValue* after,
                   Outcome* out);

void CompareMembers(const ValueSchema& schema, const JsonValue* before, const JsonValue* after,
                    Comparison* out) {
  static const JsonValue kNone = JsonValue::Of(JsonValue::Object{});
  const JsonValue& old = MembersOf(before) ? *before : kNone;
  const JsonValue& now = MembersOf(after) ? *after : kNone;
  Members its_old = Members::Of(old);
  Members its_now = Members::Of(now);
  struct Change {
    const std::string* key;
    const JsonValue* before;
    const JsonValue* after;
  };
  std::vector<Change> changes;
  const JsonValue::Object& now_members = now.object();
  for (size_t i = 0; i < old.object().size(); ++i) {
    const auto& [key, value] = old.object()[i];
    // Mostly it stands where it stood.
    const bool in_place = i < now_members.size() && now_members[i].key == key;
    const JsonValue* other = in_place ? &now_members[i].value : its_now.Find(key);
    // Objects are compared member by member, so that what is deep inside is looked at once.
    const bool inside = value.is_object() && other && other->is_object();
    if (other == nullptr || inside || !(value == *other)) changes.push_back({&key, &value, other});
  }
  for (size_t i = 0; i < now_members.size(); ++i) {
    const auto& [key, value] = now_members[i];
    const bool in_place = i < old.object().size() && old.object()[i].key == key;
    if (!in_place && its_old.Find(key) == nullptr) changes.push_back({&key, nullptr, &value});
  }
  // In the order of sets.
  std::ranges::sort(changes, {},
                    [](const Change& change) { return std::string_view(*change.key); });
  for (const auto& [key, left, right] : changes) {
    Outcome outcome;
    CompareValues(MemberOf(schema, *key).schema, left, right, &outcome);
    Take(PathElement::Field(*key), std::move(outcome), out);
  }
}

Outcome CompareItems(const ValueSchema& element, const Values& before, const Values& after) {
  Outcome outcome;
  if (before.size() <= 1 && after.size() <= 1) {
    CompareValues(element, before.empty() ? nullptr : before[0], after.empty() ? nullptr : after[0],
                  &outcome);
  } else if (before.size() >= 2 && after.size() >= 2) {
    // What is there several times is one value.
    outcome.modified = !SameValues(before, after);
  } else if (before.size() >= 2) {
    if (!after.empty()) CompareValues(element, nullptr, after[0], &outcome);
    outcome.removed = true;
  } else {
    if (!before.empty()) CompareValues(element, before[0], nullptr, &outcome);
    outcome.added = true;
  }
  return outcome;
}

void CompareElements(const ValueSchema& schema, const JsonValue* before, const JsonValue* after,
                     Comparison* out) {
  std::map<PathElement, std::pair<Values, Values>> items;
  if (const auto* elements = ElementsOf(before)) {
    for (const ListItem& item : SortedItems(schema, *elements)) {
      items[item.step].first.push_back(&(*elements)[item.place]);
    }
  }
  if (const auto* elements = ElementsOf(after)) {
    for (const ListItem& item : SortedItems(schema, *elements)) {
      items[item.step].second.push_back(&(*elements)[item.place]);
    }
  }
  const ValueSchema element = ElementOf(schema);
  for (const auto& [step, values] : items) {
    Take(step, CompareItems(element, values.first, values.second), out);
  }
}

void CompareAs(Grain grain, const ValueSchema& schema, const JsonValue* before,
               const JsonValue* after, Outcome* out) {
  // What is null or empty on both sides is a leaf, so that one can be told from the other.
  if (grain == Grain::kMap && !MembersOf(before) && !MembersOf(after)) grain = Grain::kLeaf;
  if (grain == Grain::kList && !ElementsOf(before) && !ElementsOf(after)) grain = Grain::kLeaf;
  if (grain == Grain::kMap) CompareMembers(schema, before, after, &out->behind);
  if (grain == Grain::kList) CompareElements(schema, before, after, &out->behind);
  if (before == nullptr) {
    out->added = true;
  } else if (after == nullptr) {
    out->removed = true;
  } else if (grain == Grain::kLeaf) {
    out->modified |= !Equivalent(*before, *after);
  }
}

void CompareValues(const ValueSchema& schema, const JsonValue* before, const JsonValue* after,
                   Outcome* out) {
  const Grain old = GrainOf(schema, before);
  const Grain now = GrainOf(schema, after);
  if (after == nullptr) {
    CompareAs(old, schema, before, after, out);
    return;
  }
  // What was another kind of value goes as that, and comes as this.
  if (before != nullptr && old != now) CompareAs(old, schema, before, after, out);
  CompareAs(now, schema, before, after, out);
}

}  // namespace

Comparison Compare(const ValueSchema& schema, const JsonValue& before, const JsonValue& after) {
  Outcome outcome;
  CompareValues(schema, &before, &after, &outcome);
  return std::move(outcome.behind);
}

}  // namespace podium::reflect
