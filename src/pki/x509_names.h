// Subjects and alternative names between our structs and OpenSSL's. Private to pki.
#pragma once

#include <memory>

#include "base/result.h"
#include "pki/certificate.h"

struct X509_name_st;           // OpenSSL's X509_NAME
struct stack_st_GENERAL_NAME;  // GENERAL_NAMES

namespace podium::pki {

struct FreeNames {
  void operator()(stack_st_GENERAL_NAME* names) const;
};
using OwnedNames = std::unique_ptr<stack_st_GENERAL_NAME, FreeNames>;

// kInvalidArgument: a value that is no text, or has a NUL.
Result<Subject> ReadSubject(const X509_name_st* name);
// Organizations first, as Go writes them.
Result<void> WriteSubject(const Subject& subject, X509_name_st* name);

// `names` may be null. Kinds other than the four are passed over.
Result<AlternativeNames> ReadNames(const stack_st_GENERAL_NAME* names);
// Null for none. kInvalidArgument: an address that is none, or a name that is not ASCII.
Result<OwnedNames> WriteNames(const AlternativeNames& names);

}  // namespace podium::pki
