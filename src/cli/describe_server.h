// Objects of a server described: fetched with what kubectl describe looks at beside them. Private
// to describe.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "reflect/object.h"

namespace podium::cli {

// An object and what is around it; `related` only where events are wanted or it has such.
struct DescribedObject {
  reflect::ObjectPtr object;
  std::vector<reflect::ObjectPtr> related;
};

// The objects that are selected, in order; of a name that nothing has, those whose names begin with
// it. What cannot be had of the objects around one is left out, as kubectl leaves it out. Errors of
// single objects go to *errors.
std::vector<DescribedObject> FetchDescribed(Server& server, const Invocation& invocation,
                                            const Selection& selection, bool events,
                                            std::vector<Error>* errors);

}  // namespace podium::cli
