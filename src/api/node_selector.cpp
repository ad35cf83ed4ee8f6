#include "api/node_selector.h"

#include <optional>
#include <string_view>
#include <utility>

#include "api/labels.h"

namespace podium::api {
namespace {

using core::v1::Node;
using core::v1::NodeSelectorRequirement;
using core::v1::NodeSelectorTerm;

std::optional<labels::Operator> OperatorOf(std::string_view name) {
  if (name == "In") return labels::Operator::kIn;
  if (name == "NotIn") return labels::Operator::kNotIn;
  if (name == "Exists") return labels::Operator::kExists;
  if (name == "DoesNotExist") return labels::Operator::kDoesNotExist;
  if (name == "Gt") return labels::Operator::kGreaterThan;
  if (name == "Lt") return labels::Operator::kLessThan;
  return std::nullopt;
}

Result<bool> MatchesLabels(const NodeSelectorRequirement& wanted, const Node& node) {
  const auto op = OperatorOf(wanted.operator_);
  if (!op) {
    return Error(Code::kInvalidArgument,
                 "\"" + wanted.operator_ + "\" is not a valid node selector operator");
  }
  TRY(const auto requirement, labels::Requirement::Create(wanted.key, *op, wanted.values));
  return requirement.Matches(node.metadata.labels);
}

Result<bool> MatchesFields(const NodeSelectorRequirement& wanted, const Node& node) {
  const bool in = wanted.operator_ == "In";
  if (wanted.key != "metadata.name" || (!in && wanted.operator_ != "NotIn") ||
      wanted.values.size() != 1) {
    return Error(Code::kInvalidArgument,
                 "node field selectors are metadata.name, In or NotIn, with one value");
  }
  return (wanted.values.front() == node.metadata.name) == in;
}

Result<bool> MatchesTerm(const NodeSelectorTerm& term, const Node& node) {
  bool all = true;
  for (const NodeSelectorRequirement& each : term.matchExpressions) {
    TRY(const bool one, MatchesLabels(each, node));
    all = all && one;
  }
  for (const NodeSelectorRequirement& each : term.matchFields) {
    TRY(const bool one, MatchesFields(each, node));
    all = all && one;
  }
  return all;
}

}  // namespace

Result<bool> MatchNodeSelector(const core::v1::NodeSelector& selector, const Node& node) {
  std::optional<Error> first;
  for (const NodeSelectorTerm& term : selector.nodeSelectorTerms) {
    if (term.matchExpressions.empty() && term.matchFields.empty()) continue;
    auto matches = MatchesTerm(term, node);
    if (matches.ok() && *matches) return true;
    if (!matches.ok() && !first) first = std::move(matches).error();
  }
  if (first) return *std::move(first);
  return false;
}

}  // namespace podium::api
