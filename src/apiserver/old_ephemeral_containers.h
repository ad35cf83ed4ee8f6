// The form in which releases before 1.22 write a pod's ephemeral containers: an object of its own
// kind, EphemeralContainers, at pods/NAME/ephemeralcontainers, where newer ones have the Pod. The
// kubectl debug of 1.20 reads it, adds to it and puts it. In JSON alone, as these clients speak it.
//
//   {"kind":"EphemeralContainers","apiVersion":"v1","metadata":{…},"ephemeralContainers":[…]}
//
// Threads: any.
#pragma once

#include "apiserver/call.h"

namespace podium::apiserver {

// Whether the client means that form: it puts such an object, or gets one by the library of such a
// release, which its User-Agent names. A body in that form becomes the Pod that it says.
bool TakeOldEphemeralContainers(Call& call);

// The answer, a Pod, in that form. Others stay as they are.
void GiveOldEphemeralContainers(Answer* answer);

}  // namespace podium::apiserver
