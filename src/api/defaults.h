// Defaulting: what an object means where its writer left something out.
//
// Upstream's rules of release 1.36, with the feature gates that are on by default. A rule fires
// only while its field is unset (absent, "", 0), so that defaulting an object twice is the same as
// doing it once, and a value that was set stays, with these exceptions, which are upstream's:
//   - resource quantities are rounded up to thousandths
//   - serviceAccount follows serviceAccountName
//   - a Service without session affinity loses its sessionAffinityConfig
//   - a Namespace's label kubernetes.io/metadata.name is its name
//   - names under a HorizontalPodAutoscaler's behavior are filled field by field
// What strategies and admission set on create (uid, cluster IPs, tolerations) is not done here.
//
// An empty map counts as absent. Upstream tells {} from null until the object was stored once.
//
// Thread-safe for different objects; no errors, no system calls.
#pragma once

#include "api/time.h"
#include "reflect/type.h"

namespace podium::api {

struct DefaultOptions {
  Time now;  // written where a rule says 'now' (DeviceTaint.timeAdded), cut to whole seconds
};

// Fills in the defaults of an object of a root kind; of a list kind, those of each item. Types that
// have no rules, and those built at run time, are left as they are.
void SetDefaults(const reflect::Type& type, void* object, const DefaultOptions& options);

template <class T>
void SetDefaults(T& object, const DefaultOptions& options) {
  SetDefaults(reflect::TypeOf<T>(), &object, options);
}

}  // namespace podium::api
