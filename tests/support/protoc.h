// Google's protobuf compiler as a second opinion on our protobuf.
#pragma once

#include <span>

#include "reflect/type.h"

namespace podium::testing {

// Encodes a random object of every type that has a message, lets protoc decode the bytes to text
// and encode the text again, and reads what comes back: nothing may be lost, or be unknown to
// protoc. protoc learns the messages from a .proto file made of the types, with field names of its
// own, so that only numbers and wire types count. `proto3`: in that syntax, else in proto2's.
// Repeated for each seed up to `rounds`.
void ExpectProtocAgrees(std::span<const reflect::Type* const> types, bool proto3, int rounds);

}  // namespace podium::testing
