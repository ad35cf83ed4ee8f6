// The answer to a write that was made.
#pragma once

#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/write.h"
#include "reflect/type.h"

namespace podium::apiserver {

Answer AnswerWithOutcome(const Call& call, const ServedResource& resource,
                         const WriteOutcome& outcome);

// What a deletion is answered with; null where it is the object that is shown.
reflect::AnyObject DeletedStatus(const Call& call, const ServedResource& resource,
                                 const WriteOutcome& outcome);

// The Scale of a stored object.
Answer AnswerWithScale(const Call& call, const ServedResource& resource, const store::Entry& entry,
                       int status);

}  // namespace podium::apiserver
