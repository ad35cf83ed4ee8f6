// JSON made from descriptors, for properties that must hold for every kind.
#pragma once

#include <boost/json.hpp>
#include <random>

#include "reflect/type.h"

namespace podium::api::test {

// A random object of a root kind: every field comes or not, lists and maps are short, texts are
// often values of the field's enum.
boost::json::value RandomObject(const reflect::Type& type, std::mt19937_64& random);

// An object of a root kind in which everything that can hold something does, once: boxes are there,
// lists and maps have one element. Scalars are left out, but quantities in maps are "1500u". A type
// within itself is left out.
boost::json::value FullSkeleton(const reflect::Type& type);

}  // namespace podium::api::test
