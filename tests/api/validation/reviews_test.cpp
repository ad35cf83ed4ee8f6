#include "api/validation/reviews.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using authorization::v1::LocalSubjectAccessReview;
using authorization::v1::SelfSubjectAccessReview;
using authorization::v1::SubjectAccessReview;

constexpr char kBase[] = R"({"spec": {"user": "u",
  "resourceAttributes": {"namespace": "n", "verb": "get", "resource": "pods"}}})";

TEST(Reviews, Attributes) {
  const std::string neither =
      "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or "
      "resourceAttributes must be specified";
  const std::string both =
      "spec.nonResourceAttributes: Invalid value: {\"Path\":\"/x\",\"Verb\":\"\"}: cannot be "
      "specified in combination with resourceAttributes";
  const std::string path = R"(spec.nonResourceAttributes={"path":"/x"})";
  const std::string meta = "metadata: Invalid value: {\"name\":\"x\"}: must be empty";
  ExpectCreate<SubjectAccessReview>(
      kBase, {{{}, {}},
              {{"spec.user", "spec.groups=[\"g\"]"}, {}},
              {{"spec.resourceAttributes", path}, {}},
              {{"spec.resourceAttributes"}, {neither}},
              {{path}, {both}},
              {{"spec.user", "metadata.name=\"x\""},
               {"spec.user: Invalid value: \"\": at least one of user or group must be specified",
                meta}}});
  const std::string self = Edited(kBase, {"spec.user"});
  ExpectCreate<SelfSubjectAccessReview>(self, {{{}, {}},
                                               {{"spec.resourceAttributes"}, {neither}},
                                               {{path, "metadata.name=\"x\""}, {both, meta}}});
}

TEST(Reviews, Selectors) {
  const std::string fields = "spec.resourceAttributes.fieldSelector";
  const std::string labels = "spec.resourceAttributes.labelSelector";
  const auto empty = [](const std::string& path) {
    return path + ".requirements: Required value: when " + path +
           " is specified, requirements or rawSelector is required";
  };
  const std::string text =
      ".rawSelector: Invalid value: \"a=b\": may not specified at the same "
      "time as requirements";
  ExpectCreate<SubjectAccessReview>(
      kBase,
      {{{fields + ".rawSelector=\"a=b\"", labels + ".rawSelector=\"a=b\""}, {}},
       {{fields + R"(.requirements=[{"key":"a","operator":"In","values":["b"]}])",
         labels + R"(.requirements=[{"key":"a","operator":"Exists"}])"},
        {}},
       {{fields + R"(.requirements=[{"key":"a","operator":"Newer"}])"}, {}},
       {{fields + "={}", labels + "={}"}, {empty(fields), empty(labels)}},
       {{fields + R"(={"rawSelector":"a=b","requirements":[{"operator":"In"},)"
                  R"({"key":"a","operator":"Exists","values":["b"]}]})"},
        {fields + text, fields + ".requirements[0].key: Required value: must be specified",
         fields + ".requirements[0].values: Required value: must be specified when `operator` is "
                  "'In' or 'NotIn'",
         fields + ".requirements[1].values: Forbidden: may not be specified when `operator` is "
                  "'Exists' or 'DoesNotExist'"}},
       {{labels + R"(={"rawSelector":"a=b","requirements":[{"key":"a","operator":"In"}]})"},
        {labels + text,
         labels + ".requirements[0].values: Required value: must be specified when `operator` is "
                  "'In' or 'NotIn'"}}});
}

TEST(Reviews, Local) {
  const std::string local = Edited(kBase, {"metadata.namespace=\"n\""});
  ExpectCreate<LocalSubjectAccessReview>(
      local,
      {{{}, {}},
       {{"metadata.name=\"x\""},
        {"metadata: Invalid value: {\"name\":\"x\",\"namespace\":\"n\"}: must be empty except for "
         "namespace"}},
       {{"spec.resourceAttributes.namespace=\"m\""},
        {"spec.resourceAttributes.namespace: Invalid value: \"m\": must match "
         "metadata.namespace"}},
       {{"spec.resourceAttributes", R"(spec.nonResourceAttributes={"path":"/x"})"},
        {"spec.nonResourceAttributes: Invalid value: {\"Path\":\"/x\",\"Verb\":\"\"}: disallowed "
         "on this kind of request"}}});
}

TEST(Reviews, Tokens) {
  const std::string seconds = "spec.expirationSeconds";
  ExpectCreate<authentication::v1::TokenRequest>(
      "{}", {{{}, {}},
             {{seconds + "=600"}, {}},
             {{seconds + "=4294967296"}, {}},
             {{seconds + "=599"},
              {seconds + ": Invalid value: 599: may not specify a duration less than 10 minutes"}},
             {{seconds + "=4294967297"},
              {seconds + ": Invalid value: 4294967297: may not specify a duration larger than 2^32 "
                         "seconds"}}});
}

}  // namespace
}  // namespace podium::api
