#include "api/validation/pod_template_object.h"

#include "api/validation/harness.h"

namespace podium::api {
namespace {

using core::v1::PodTemplate;

constexpr char kTemplate[] = R"({
  "metadata": {"name": "t", "namespace": "n", "resourceVersion": "1"},
  "template": {"metadata": {"labels": {"a": "b"}},
               "spec": {"containers": [{"name": "c", "image": "i"}]}}})";

TEST(PodTemplate, Create) {
  ExpectErrors(
      kTemplate,
      {{{}, {}},
       {{"metadata.name"}, {"metadata.name: Required value: name or generateName is required"}},
       {{"template.spec.restartPolicy=\"Never\""}, {}},
       {{"template.spec.containers[0].image=\"\""},
        {"template.spec.containers[0].image: Required value"}}},
      [](const std::string& json) { return Texts(ValidatePodTemplate(Load<PodTemplate>(json))); });
}

TEST(PodTemplate, Update) {
  const auto old_template = Load<PodTemplate>(kTemplate);
  ExpectErrors(kTemplate,
               {{{"template.spec.containers[0].image=\"j\""}, {}},
                {{"metadata.name=\"u\"", "template.spec.containers[0].name=\"\""},
                 {"metadata.name: Invalid value: \"u\": field is immutable",
                  "template.spec.containers[0].name: Required value"}}},
               [&](const std::string& json) {
                 return Texts(ValidatePodTemplateUpdate(Load<PodTemplate>(json), old_template));
               });
}

}  // namespace
}  // namespace podium::api
