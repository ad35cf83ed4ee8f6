#include "reflect/apply/touched_part.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "reflect/patch/members.h"

namespace podium::reflect {
namespace {

using Node = FieldSet::Node;

// What an apply has of one step.
struct Step {
  const JsonValue* config = nullptr;
  const Node* last = nullptr;
  const Node* own = nullptr;

  bool is_untouched() const { return config == nullptr && last == nullptr; }
};

const FieldSet* Behind(const Node* node) { return node ? &node->behind : nullptr; }

// Of what a step leads to that is not untouched.
JsonValue PartBehind(const ValueSchema& schema, bool named, const JsonValue& value,
                     const Step& step) {
  // Only what is owned from now on is sure to stay.
  const bool stays = step.own && (step.own->is_member || (named && !step.own->behind.empty()));
  const bool may_go = step.last && (step.last->behind.empty() || !stays);
  if (may_go || (step.config && step.config->kind() != value.kind())) return value;
  return TouchedPart(schema, value, {step.config, Behind(step.last), Behind(step.own)});
}

// Goes through what is touched, which mostly is little.
JsonValue PartOfMembers(const ValueSchema& schema, const JsonValue& value, const Touch& touch) {
  static const JsonValue& none = *new JsonValue(JsonValue::Of(JsonValue::Object{}));
  const JsonValue& config = touch.config && touch.config->is_object() ? *touch.config : none;
  Members its = Members::Of(value);
  Members applied = Members::Of(config);
  const auto find = [](const FieldSet* set, const std::string& key) {
    return set ? set->FindField(key) : nullptr;
  };
  JsonValue::Object part;
  const auto add = [&](const std::string& key, const JsonValue* now, const Node* last) {
    const JsonValue* its_value = its.Find(key);
    if (its_value == nullptr) return;
    const ApplyMember member = MemberOf(schema, key);
    const Step step{now, last, find(touch.own, key)};
    part.push_back({key, PartBehind(member.schema, member.named, *its_value, step)});
  };
  for (const auto& [key, now] : config.object()) add(key, &now, find(touch.last, key));
  if (touch.last) {
    for (const Node& node : touch.last->nodes()) {
      if (node.step.kind() != PathElement::Kind::kField) break;
      if (applied.Find(node.step.field()) == nullptr) add(node.step.field(), nullptr, &node);
    }
  }
  return JsonValue::Of(std::move(part));
}

// With the members that tell it from others, which are not always among those that are touched.
JsonValue WithKeys(JsonValue part, JsonValue keys) {
  if (part.is_object() && keys.is_object()) {
    for (auto& [key, value] : keys.object()) part.Set(key, std::move(value));
  }
  return part;
}

JsonValue PartOfElements(const ValueSchema& schema, const JsonValue::Array& elements,
                         const Touch& touch) {
  const ListItems steps(schema);
  const ValueSchema element_schema = ElementOf(schema);
  std::vector<ListItem> config;
  if (const auto* applied = ElementsOf(touch.config)) config = SortedItems(schema, *applied);
  const auto in_config = [&](const PathElement& step) -> const JsonValue* {
    const auto found = std::ranges::lower_bound(config, step, {}, &ListItem::step);
    if (found == config.end() || found->step != step) return nullptr;
    return &touch.config->array()[found->place];
  };
  const auto find = [](const FieldSet* set, const PathElement& step) {
    return set ? set->Find(step) : nullptr;
  };
  JsonValue::Array part;
  part.reserve(elements.size());
  for (const JsonValue& element : elements) {
    const Result<PathElement> name = steps.StepOf(element);
    if (!name.ok()) {
      part.push_back(element);
      continue;
    }
    const Step step{in_config(*name), find(touch.last, *name), find(touch.own, *name)};
    JsonValue keys = steps.KeysOf(element);
    if (step.is_untouched()) {
      part.push_back(std::move(keys));
    } else {
      part.push_back(WithKeys(PartBehind(element_schema, false, element, step), std::move(keys)));
    }
  }
  return JsonValue::Of(std::move(part));
}

}  // namespace

JsonValue TouchedPart(const ValueSchema& schema, const JsonValue& value, const Touch& touch) {
  const Grain grain = GrainOf(schema, &value);
  if (grain == Grain::kMap && value.is_object()) {
    return PartOfMembers(schema, value, touch);
  }
  if (grain == Grain::kList && value.is_array()) {
    return PartOfElements(schema, value.array(), touch);
  }
  return value;
}

}  // namespace podium::reflect
