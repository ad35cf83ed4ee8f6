// FieldsV1 from arbitrary bytes: what is read is written in a form that is read as the same set and
// written in the same bytes, and the algebra of sets holds with itself.
#include <string_view>

#include "fuzz/require.h"
#include "reflect/apply/field_set.h"

using namespace podium;
using podium::fuzz::Require;
using reflect::FieldSet;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto json = reflect::ParseJson({reinterpret_cast<const char*>(data), size});
  if (!json.ok()) return 0;
  const auto set = FieldSet::FromJson(*json);
  if (!set.ok()) return 0;
  const auto again = FieldSet::FromJson(set->ToJson());
  Require(again.ok());
  Require(again->ToJson() == set->ToJson());
  Require(Difference(*set, *set).empty());
  Require(Intersection(*set, *set) == *set);
  Require(Union(*set, *set) == *set);
  size_t paths = 0;
  set->ForEach([&](const reflect::FieldPathElements& path) { paths += set->Has(path) ? 1 : 0; });
  Require(paths == set->size());
  return 0;
}
