// Rules for the metadata of every kind (upstream's k8s.io/apimachinery/pkg/api/validation, release
// 1.36, and what pkg/apis/core/validation adds). Errors stand in upstream's order, where upstream
// goes through a map in key order.
#pragma once

#include <string>
#include <string_view>

#include "api/field_errors.h"
#include "api/names.h"
#include "api/types/meta_v1.h"

namespace podium::api {

enum class Scope { kNamespaced, kCluster };

// The metadata of a new object. Name and namespace are those it will be stored under: a missing
// name has been generated, a missing namespace filled in from the request.
field::ErrorList ValidateObjectMeta(const meta::v1::ObjectMeta& meta, Scope scope,
                                    NameRule name_rule, const field::Path& path);

// The metadata of an object that replaces `old_meta`: what may not change, and that what may change
// is valid. The name itself is not checked again.
field::ErrorList ValidateObjectMetaUpdate(const meta::v1::ObjectMeta& new_meta,
                                          const meta::v1::ObjectMeta& old_meta,
                                          const field::Path& path);

// The same as apimachinery has them, which some groups use as they are: finalizers need no domain.
field::ErrorList ValidateGenericObjectMeta(const meta::v1::ObjectMeta& meta, Scope scope,
                                           NameRule name_rule, const field::Path& path);
field::ErrorList ValidateGenericObjectMetaUpdate(const meta::v1::ObjectMeta& new_meta,
                                                 const meta::v1::ObjectMeta& old_meta,
                                                 const field::Path& path);

// The keys, and the size of keys and values together.
field::ErrorList ValidateAnnotations(const reflect::Map<std::string>& annotations,
                                     const field::Path& path);
// Only that size.
field::ErrorList ValidateAnnotationsSize(const reflect::Map<std::string>& annotations,
                                         const field::Path& path);

// One name of a finalizer: qualified, and with a domain unless it is one of upstream's own three.
field::ErrorList ValidateFinalizerName(const std::string& name, const field::Path& path);

}  // namespace podium::api
