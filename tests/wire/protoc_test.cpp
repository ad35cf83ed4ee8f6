#include "support/protoc.h"

#include <gtest/gtest.h>

#include "support/long_form.h"
#include "wire/types/cri.h"
#include "wire/types/registry.h"

namespace podium::wire {
namespace {

TEST(ProtocTest, ReadsAndWritesEveryMessageOfTheCri) {
  for (const PackageTypes& package : kPackages) {
    if (package.package == &cri::kPackage) {
      testing::ExpectProtocAgrees(package.types, true, testing::IsLongForm() ? 50 : 5);
    }
  }
}

}  // namespace
}  // namespace podium::wire
