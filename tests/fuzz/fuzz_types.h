// The types that the codecs' fuzz targets decode into: a deep one, a recursive one with
// alternatives, one with every container without omitempty, and one whose values are raw.
#pragma once

#include <array>
#include <cstdint>

#include "api/types/apiextensions_v1.h"
#include "api/types/authentication_v1.h"
#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "api/types/rbac_v1.h"

namespace podium::fuzz {

// The first byte of an input chooses.
inline const reflect::Type& ChooseType(uint8_t byte) {
  const std::array types = {
      &reflect::TypeOf<api::core::v1::Pod>(),
      &reflect::TypeOf<api::apiextensions::v1::CustomResourceDefinition>(),
      &reflect::TypeOf<api::rbac::v1::ClusterRole>(),
      &reflect::TypeOf<api::authentication::v1::TokenReview>(),
      &reflect::TypeOf<api::meta::v1::List>(),
  };
  return *types[byte % types.size()];
}

}  // namespace podium::fuzz
