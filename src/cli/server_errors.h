// Errors of servers as kubectl prints them (k8s.io/kubectl/pkg/cmd/util, CheckErr; release 1.32).
#pragma once

#include <span>
#include <string>

#include "base/error.h"
#include "cli/command.h"

namespace podium::cli {

// An error whose message is told without "error: " before it.
Error VerbatimError(Code code, std::string message);

// The error with words before its message. The server's Status stays, so that it is still told as
// the server's: `Error from server (AlreadyExists): error when creating "a.yaml": pods …`.
Error WithPrefix(const Error& error, const std::string& prefix);

// Several as one, each text once, in brackets and without their Statuses; one as it is. At least
// one is needed.
Error Aggregate(std::span<const Error> errors);

// Whole lines:
//   Error from server (NotFound): pods "web" not found
//   The Pod "web" is invalid: spec.containers: Required value
//   error: the server doesn't have a resource type "x"
// Control characters are escaped.
std::string ErrorText(const Error& error);
// Of several, each on its line; of one the same as ErrorText.
std::string ErrorText(std::span<const Error> errors);

// A command that ends with the error.
Outcome ServerFailure(const Error& error, std::string out = {});
Outcome ServerFailure(std::span<const Error> errors, std::string out = {});

bool IsNotFound(const Error& error);
bool IsConflict(const Error& error);

}  // namespace podium::cli
