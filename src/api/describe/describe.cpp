#include "api/describe.h"

#include <algorithm>
#include <string>

#include "api/describe/parts.h"
#include "api/describe/tab_writer.h"

namespace podium::api {
namespace {

const Describer* FindDescriber(const reflect::Type* type) {
  for (const auto describers :
       {PodDescribers(), NodeDescribers(), WorkloadDescribers(), ServiceDescribers(),
        IngressDescribers(), StorageDescribers(), ClusterDescribers(), ConfigDescribers()}) {
    const auto found = std::ranges::find(describers, type, &Describer::type);
    if (found != describers.end()) return &*found;
  }
  return nullptr;
}

}  // namespace

Result<std::string> Describe(const reflect::Object& object, const DescribeOptions& options) {
  const Scene scene(options);
  TRY(const reflect::ObjectPtr converted, InDescribedVersion(object));
  const reflect::Object& described = converted ? *converted : object;
  std::string text;
  DescribeWriter out(&text);
  if (const Describer* describer = FindDescriber(described.type())) {
    TRY(const void* decoded, described.decoded());
    TRY_VOID(describer->describe(decoded, scene, &out));
  } else {
    TRY_VOID(DescribeFields(described, scene, &out));
  }
  return AlignTabs(text);
}

}  // namespace podium::api
