#include "reflect/apply/pruning.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "reflect/apply/object_fields.h"
#include "reflect/patch/members.h"

namespace podium::reflect {
namespace {

constexpr size_t kManyOwners = 64;

// The parts of several sets behind one step.
using Sets = std::vector<const FieldSet*>;

Sets Behind(const Sets& sets, const PathElement& step) {
  Sets out;
  for (const FieldSet* set : sets) {
    const FieldSet::Node* node = set->Find(step);
    if (node && !node->behind.empty()) out.push_back(&node->behind);
  }
  return out;
}

bool IsIn(const FieldSet::Node& node, bool named) {
  return node.is_member || (named && !node.behind.empty());
}

bool IsOwned(const Sets& owners, const PathElement& step, bool named) {
  return std::ranges::any_of(owners, [&](const FieldSet* set) {
    const FieldSet::Node* node = set->Find(step);
    return node && IsIn(*node, named);
  });
}

// What Prune takes out when all sets are of the object's version: one walk through what was applied
// last, instead of the sets of all fields that there are.
class Finder {
 public:
  struct State {
    bool covered = false;  // something on the way was applied last
    bool dropped = false;  // and is owned by nobody
  };

  static FieldSet Find(const ValueSchema& schema, const JsonValue& value, const FieldSet& last,
                       const Sets& owners, State state) {
    FieldSet out;
    switch (GrainOf(schema, &value)) {
      case Grain::kLeaf:
        break;
      case Grain::kMap:
        if (MembersOf(&value)) FindMembers(schema, value, last, owners, state, &out);
        break;
      case Grain::kList:
        if (const auto* elements = ElementsOf(&value)) {
          FindElements(schema, *elements, last, owners, state, &out);
        }
        break;
    }
    return out;
  }

 private:
  // `value` is null where there are several.
  static void FindOne(const ValueSchema& schema, bool named, const JsonValue* value,
                      const FieldSet::Node& node, const Sets& owners, State state, FieldSet* out) {
    const bool was_applied = IsIn(node, named);
    state.covered |= was_applied;
    state.dropped |= state.covered && !IsOwned(owners, node.step, named);
    if (was_applied && state.dropped) {
      out->Add(node.step, true, {});
    } else if (value != nullptr) {
      out->Add(node.step, false,
               Find(schema, *value, node.behind, Behind(owners, node.step), state));
    }
  }

  static void FindMembers(const ValueSchema& schema, const JsonValue& value, const FieldSet& last,
                          const Sets& owners, State state, FieldSet* out) {
    Members members = Members::Of(value);
    for (const FieldSet::Node& node : last.nodes()) {
      if (node.step.kind() != PathElement::Kind::kField) continue;
      const JsonValue* member = members.Find(node.step.field());
      if (member == nullptr) continue;
      const ApplyMember known = MemberOf(schema, node.step.field());
      // An empty list has no path of its own.
      const bool is_empty_list = member->is_array() && member->array().empty();
      if (is_empty_list && known.named && GrainOf(known.schema, member) == Grain::kList) continue;
      FindOne(known.schema, known.named, member, node, owners, state, out);
    }
  }

  static void FindElements(const ValueSchema& schema, const JsonValue::Array& elements,
                           const FieldSet& last, const Sets& owners, State state, FieldSet* out) {
    const ValueSchema element = ElementOf(schema);
    const std::vector<ListItem> items = SortedItems(schema, elements);
    for (const FieldSet::Node& node : last.nodes()) {
      const auto found = std::ranges::equal_range(items, node.step, {}, &ListItem::step);
      if (found.empty()) continue;
      const JsonValue* value = found.size() == 1 ? &elements[found.begin()->place] : nullptr;
      FindOne(element, false, value, node, owners, state, out);
    }
  }
};

// Of an object in one version, and the same without some of it.
struct Pair {
  VersionedValue merged;
  VersionedValue pruned;
};

FieldSet NamedFieldsOf(const VersionedValue& value) {
  const ValueSchema schema = SchemaOf(value.type);
  return WithNamedFields(schema, FieldsOf(schema, value.value));
}

VersionedValue Without(const VersionedValue& value, const FieldSet& set) {
  VersionedValue out = value;
  RemoveFields(SchemaOf(value.type), set, &out.value);
  return out;
}

// Puts back what was taken out, and is managed.
Result<void> AddBackOwned(const FieldManagerHooks& hooks, const std::string& version,
                          const FieldSet& managed, Pair* pair) {
  Result<VersionedValue> merged = ConvertTo(hooks, pair->merged, version);
  if (!merged.ok() && merged.error().code() == Code::kNotFound) return {};
  if (!merged.ok()) {
    return Error(Code::kInternal, "failed to convert merged object at version " + version + ": " +
                                      merged.error().message());
  }
  Result<VersionedValue> pruned = ConvertTo(hooks, pair->pruned, version);
  if (!pruned.ok() && pruned.error().code() == Code::kNotFound) return {};
  if (!pruned.ok()) {
    return Error(Code::kInternal, "failed to convert pruned object at version " + version + ": " +
                                      pruned.error().message());
  }
  const ValueSchema schema = SchemaOf(merged->type);
  const FieldSet kept = Union(NamedFieldsOf(*pruned), WithNamedFields(schema, managed));
  pair->pruned = Without(*merged, Difference(NamedFieldsOf(*merged), kept));
  pair->merged = *std::move(merged);
  return {};
}

// The same among several versions, as upstream does it, through the sets of all fields.
Result<void> PruneAmongVersions(const FieldManagerHooks& hooks, const ManagedSet& last,
                                const ManagedSets& sets, VersionedValue* merged) {
  const ValueSchema schema = SchemaOf(merged->type);
  const FieldSet applied = WithNamedFields(schema, last.fields);
  std::map<std::string, FieldSet> managed;
  for (const auto& [manager, set] : sets) {
    FieldSet& its = managed[set.api_version];
    its = Union(its, set.fields);
  }
  Pair pair{*merged, Without(*merged, applied)};
  // First in the version that it was pruned in: a conversion may need what is put back.
  if (const auto own = managed.find(last.api_version); own != managed.end()) {
    TRY_VOID(AddBackOwned(hooks, own->first, own->second, &pair));
    managed.erase(own);
  }
  for (const auto& [version, its] : managed) {
    TRY_VOID(AddBackOwned(hooks, version, its, &pair));
  }
  const Result<VersionedValue> pruned = ConvertTo(hooks, pair.pruned, last.api_version);
  if (!pruned.ok() && pruned.error().code() == Code::kNotFound) return {};
  if (!pruned.ok()) {
    return Error(Code::kInternal, "failed to convert pruned object to last applied version: " +
                                      pruned.error().message());
  }
  const FieldSet gone = Difference(NamedFieldsOf(*merged), NamedFieldsOf(*pruned));
  RemoveFields(schema, Intersection(gone, applied), &merged->value);
  return {};
}

}  // namespace

Result<VersionedValue> ConvertTo(const FieldManagerHooks& hooks, const VersionedValue& value,
                                 std::string_view api_version) {
  if (value.api_version == api_version) return value;
  if (!hooks.convert) return Error(Code::kNotFound, "no other version is known");
  return hooks.convert(value, api_version);
}

Result<void> Prune(const FieldManagerHooks& hooks, const ManagedSet& last, const ManagedSets& sets,
                   VersionedValue* merged) {
  if (last.fields.empty()) return {};
  const bool one_version = std::ranges::all_of(
      sets, [&](const auto& entry) { return entry.second.api_version == last.api_version; });
  if (one_version && merged->api_version == last.api_version) {
    const ValueSchema schema = SchemaOf(merged->type);
    Sets owners;
    FieldSet all;  // of many, so that each step is looked up in few
    for (const auto& [manager, set] : sets) {
      if (sets.size() > kManyOwners) {
        all = Union(all, set.fields);
      } else {
        owners.push_back(&set.fields);
      }
    }
    if (owners.empty()) owners.push_back(&all);
    RemoveFields(schema, Finder::Find(schema, merged->value, last.fields, owners, {}),
                 &merged->value);
    return {};
  }
  Result<VersionedValue> converted = ConvertTo(hooks, *merged, last.api_version);
  if (!converted.ok() && converted.error().code() == Code::kNotFound) return {};
  if (!converted.ok()) {
    return Error(Code::kInternal, "failed to convert merged object to last applied version: " +
                                      converted.error().message());
  }
  TRY_VOID(PruneAmongVersions(hooks, last, sets, &*converted));
  TRY(*merged, ConvertTo(hooks, *converted, merged->api_version));
  return {};
}

}  // namespace podium::reflect
