// How the server itself reads and writes CustomResourceDefinitions: past admission, in the name of
// kube-apiserver. Internal to the folder.
#pragma once

#include <memory>
#include <string_view>

#include "api/time.h"
#include "api/types/apiextensions_v1.h"
#include "apiserver/catalog.h"
#include "base/result.h"
#include "store/store.h"

namespace podium::apiserver {

using DefinitionPtr = std::shared_ptr<const api::apiextensions::v1::CustomResourceDefinition>;

std::string_view DefinitionPrefix();
// kDataLoss.
Result<DefinitionPtr> DecodeDefinition(const store::Entry& entry);

// Puts the definition in the place of what `current` holds; one that is being deleted and has no
// finalizers any more goes. False: somebody else was faster. Waits for the store.
Result<bool> WriteDefinition(store::Store& store, const Catalog& catalog,
                             const store::Entry& current,
                             api::apiextensions::v1::CustomResourceDefinition changed,
                             api::Time now);

}  // namespace podium::apiserver
