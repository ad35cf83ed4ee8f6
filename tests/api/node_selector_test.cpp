#include "api/node_selector.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "reflect/json.h"
#include "reflect/yaml.h"

namespace podium::api {
namespace {

// "yes", "no" or the error.
std::string Match(const std::string& terms) {
  core::v1::Node node;
  node.metadata.name = "n1";
  node.metadata.labels = {{"zone", "a"}, {"cores", "8"}};
  const auto text = reflect::YamlToJson("nodeSelectorTerms: [" + terms + "]\n");
  EXPECT_TRUE(text.ok()) << terms;
  const auto selector = reflect::FromJson<core::v1::NodeSelector>(text->json);
  EXPECT_TRUE(selector.ok()) << terms;
  const auto matches = MatchNodeSelector(*selector, node);
  if (!matches.ok()) return matches.error().message();
  return *matches ? "yes" : "no";
}

std::string Expressions(const std::string& text) { return "{matchExpressions: [" + text + "]}"; }

TEST(MatchNodeSelector, AsUpstream) {
  const std::string here = "{key: zone, operator: In, values: [b, a]}";
  const std::string there = "{key: zone, operator: In, values: [b]}";
  const std::pair<std::string, const char*> cases[] = {
      {"", "no"},
      {"{}", "no"},
      {Expressions(here), "yes"},
      {Expressions(there), "no"},
      {Expressions(there) + ", {}, " + Expressions(here), "yes"},
      {Expressions(here + ", " + there), "no"},
      {Expressions("{key: zone, operator: NotIn, values: [b]}"), "yes"},
      {Expressions("{key: zone, operator: NotIn, values: [a]}"), "no"},
      {Expressions("{key: zone, operator: Exists}"), "yes"},
      {Expressions("{key: none, operator: Exists}"), "no"},
      {Expressions("{key: none, operator: DoesNotExist}"), "yes"},
      {Expressions("{key: cores, operator: Gt, values: ['7']}"), "yes"},
      {Expressions("{key: cores, operator: Gt, values: ['8']}"), "no"},
      {Expressions("{key: cores, operator: Lt, values: ['9']}"), "yes"},
      {"{matchFields: [{key: metadata.name, operator: In, values: [n1]}]}", "yes"},
      {"{matchFields: [{key: metadata.name, operator: NotIn, values: [n1]}]}", "no"},
      {"{matchExpressions: [" + there +
           "], matchFields: [{key: metadata.name, operator: In, values: [n1]}]}",
       "no"},
      {Expressions("{key: zone, operator: Is}") + ", " + Expressions(here), "yes"},
      {Expressions("{key: zone, operator: Is}"), "\"Is\" is not a valid node selector operator"},
      {"{matchFields: [{key: metadata.uid, operator: In, values: [n1]}]}",
       "node field selectors are metadata.name, In or NotIn, with one value"},
  };
  for (const auto& [terms, answer] : cases) EXPECT_EQ(Match(terms), answer) << terms;
}

}  // namespace
}  // namespace podium::api
