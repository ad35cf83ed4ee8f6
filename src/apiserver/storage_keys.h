// Where objects are in the store: the keys that upstream's API server uses in etcd
// (k8s.io/kubernetes/pkg/kubeapiserver, DefaultStorageFactory, release 1.36), so that who knows
// them finds his way.
//
//   /registry/pods/default/web               namespaced
//   /registry/minions/node-1                 of the cluster; a few have older names
//   /registry/services/specs/default/web
//   /registry/example.com/crontabs/default/x custom resources, and what other servers of upstream's
//                                            keep: the group comes first
#pragma once

#include <string>
#include <string_view>

#include "api/resource.h"

namespace podium::apiserver {

// "/registry/pods/", for all of them. events.k8s.io has the events of core.
std::string KeyPrefix(const api::Resource& resource);
// Of a custom resource.
std::string CustomKeyPrefix(std::string_view group, std::string_view plural);

// `prefix`, then the namespace, if there is one, and the name. With a namespace and no name: the
// prefix of what is in it.
std::string KeyOf(std::string_view prefix, std::string_view name_space, std::string_view name);

}  // namespace podium::apiserver
