#include "reflect/apply/field_set.h"

#include <algorithm>

namespace podium::reflect {

bool FieldSet::empty() const { return nodes_.empty(); }

size_t FieldSet::size() const {
  size_t count = 0;
  for (const Node& node : nodes_) count += (node.is_member ? 1 : 0) + node.behind.size();
  return count;
}

const FieldSet::Node* FieldSet::Find(const PathElement& step) const {
  const auto found = std::ranges::lower_bound(nodes_, step, {}, &Node::step);
  return found != nodes_.end() && found->step == step ? &*found : nullptr;
}

const FieldSet::Node* FieldSet::FindField(std::string_view name) const {
  // Fields come before all other steps.
  const auto is_before = [&](const Node& node) {
    return node.step.kind() == PathElement::Kind::kField && node.step.field() < name;
  };
  const auto found = std::ranges::partition_point(nodes_, is_before);
  const bool is_it = found != nodes_.end() && found->step.kind() == PathElement::Kind::kField &&
                     found->step.field() == name;
  return is_it ? &*found : nullptr;
}

FieldSet::Node& FieldSet::Descend(const PathElement& step) {
  // What comes in order, the usual case, is appended without a search.
  if (nodes_.empty() || nodes_.back().step < step) return nodes_.emplace_back(Node{.step = step});
  const auto found = std::ranges::lower_bound(nodes_, step, {}, &Node::step);
  if (found->step == step) return *found;
  return *nodes_.insert(found, Node{.step = step});
}

void FieldSet::Append(Node node) {
  if (node.is_member || !node.behind.empty()) nodes_.push_back(std::move(node));
}

void FieldSet::Add(const PathElement& step, bool is_member, FieldSet behind) {
  if (!is_member && behind.empty()) return;
  Node& node = Descend(step);
  node.is_member |= is_member;
  node.behind = node.behind.empty() ? std::move(behind) : Union(node.behind, behind);
}

bool FieldSet::Has(const FieldPathElements& path) const {
  const FieldSet* set = this;
  const Node* node = nullptr;
  for (const PathElement& step : path) {
    node = set->Find(step);
    if (node == nullptr) return false;
    set = &node->behind;
  }
  return node != nullptr && node->is_member;
}

void FieldSet::Insert(const FieldPathElements& path) {
  FieldSet* set = this;
  Node* node = nullptr;
  for (const PathElement& step : path) {
    node = &set->Descend(step);
    set = &node->behind;
  }
  if (node != nullptr) node->is_member = true;
}

void FieldSet::ForEach(const std::function<void(const FieldPathElements&)>& visit) const {
  FieldPathElements path;
  Visit(&path, visit);
}

void FieldSet::Visit(FieldPathElements* path,
                     const std::function<void(const FieldPathElements&)>& visit) const {
  for (const Node& node : nodes_) {
    if (!node.is_member) continue;
    path->push_back(node.step);
    visit(*path);
    path->pop_back();
  }
  for (const Node& node : nodes_) {
    path->push_back(node.step);
    node.behind.Visit(path, visit);
    path->pop_back();
  }
}

FieldSet FieldSet::Behind(const PathElement& step) const {
  const Node* node = Find(step);
  return node ? node->behind : FieldSet();
}

FieldSet Union(const FieldSet& a, const FieldSet& b) {
  FieldSet out;
  auto left = a.nodes_.begin();
  auto right = b.nodes_.begin();
  while (left != a.nodes_.end() && right != b.nodes_.end()) {
    const auto order = left->step <=> right->step;
    if (order < 0) {
      out.Append(*left++);
    } else if (order > 0) {
      out.Append(*right++);
    } else {
      out.Append(
          {left->step, left->is_member || right->is_member, Union(left->behind, right->behind)});
      ++left;
      ++right;
    }
  }
  out.nodes_.insert(out.nodes_.end(), left, a.nodes_.end());
  out.nodes_.insert(out.nodes_.end(), right, b.nodes_.end());
  return out;
}

FieldSet Intersection(const FieldSet& a, const FieldSet& b) {
  FieldSet out;
  auto right = b.nodes_.begin();
  for (const FieldSet::Node& node : a.nodes_) {
    while (right != b.nodes_.end() && right->step < node.step) ++right;
    if (right == b.nodes_.end()) break;
    if (right->step != node.step) continue;
    out.Append(
        {node.step, node.is_member && right->is_member, Intersection(node.behind, right->behind)});
  }
  return out;
}

FieldSet Difference(const FieldSet& a, const FieldSet& b) {
  FieldSet out;
  auto right = b.nodes_.begin();
  for (const FieldSet::Node& node : a.nodes_) {
    while (right != b.nodes_.end() && right->step < node.step) ++right;
    if (right == b.nodes_.end() || right->step != node.step) {
      out.Append(node);
    } else {
      out.Append(
          {node.step, node.is_member && !right->is_member, Difference(node.behind, right->behind)});
    }
  }
  return out;
}

FieldSet RecursiveDifference(const FieldSet& a, const FieldSet& b) {
  FieldSet out;
  auto right = b.nodes_.begin();
  for (const FieldSet::Node& node : a.nodes_) {
    while (right != b.nodes_.end() && right->step < node.step) ++right;
    if (right == b.nodes_.end() || right->step != node.step) {
      out.Append(node);
    } else if (!right->is_member) {
      out.Append({node.step, node.is_member, RecursiveDifference(node.behind, right->behind)});
    }
  }
  return out;
}

FieldSet FieldSet::Leaves() const {
  FieldSet out;
  for (const Node& node : nodes_) {
    out.Append({node.step, node.is_member && node.behind.empty(), node.behind.Leaves()});
  }
  return out;
}

bool operator==(const FieldSet& a, const FieldSet& b) {
  return std::ranges::equal(a.nodes_, b.nodes_, [](const auto& left, const auto& right) {
    return left.is_member == right.is_member && left.step == right.step &&
           left.behind == right.behind;
  });
}

Result<FieldSet> FieldSet::FromJson(const JsonValue& json) {
  if (!json.is_object()) return Error(Code::kInvalidArgument, "a set of fields is no object");
  struct Child {
    PathElement step;
    const JsonValue* value;
  };
  std::vector<Child> children;
  children.reserve(json.object().size());
  for (const auto& [key, value] : json.object()) {
    if (key == ".") continue;
    Result<PathElement> step = PathElement::Parse(key);
    // A later version may know what it is.
    if (!step.ok() && step.error().code() == Code::kUnsupported) continue;
    if (!step.ok()) return std::move(step).error();
    children.push_back({*std::move(step), &value});
  }
  // In order, what follows is appending.
  if (!std::ranges::is_sorted(children, {}, &Child::step)) {
    std::ranges::sort(children, {}, &Child::step);
  }
  FieldSet set;
  set.nodes_.reserve(children.size());
  for (Child& child : children) {
    TRY(FieldSet behind, FromJson(*child.value));
    const bool is_member = behind.empty() || child.value->Find(".") != nullptr;
    // Two keys can be one step: numbers and members are written in many ways.
    if (!set.nodes_.empty() && set.nodes_.back().step == child.step) {
      Node& node = set.nodes_.back();
      node.is_member |= is_member;
      node.behind = Union(node.behind, behind);
    } else {
      set.nodes_.push_back({std::move(child.step), is_member, std::move(behind)});
    }
  }
  return set;
}

JsonValue FieldSet::ToJson(bool is_member) const {
  JsonValue::Object out;
  out.reserve(nodes_.size() + 1);
  if (is_member && !nodes_.empty()) out.push_back({".", JsonValue::Of(JsonValue::Object{})});
  for (const Node& node : nodes_) {
    out.push_back({node.step.Text(), node.behind.ToJson(node.is_member)});
  }
  return JsonValue::Of(std::move(out));
}

}  // namespace podium::reflect
