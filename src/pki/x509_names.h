// Subjects and alternative names between our structs and OpenSSL's. Private to pki.
#pragma once

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/owned.h"
#include "base/result.h"
#include "pki/certificate.h"

namespace podium::pki {

using OwnedNames = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;

// kInvalidArgument: a value that is no text, or has a NUL.
Result<Subject> ReadSubject(const X509_NAME* name);
// Organizations first, as Go writes them.
Result<void> WriteSubject(const Subject& subject, X509_NAME* name);

// `names` may be null. Kinds other than the four are passed over.
Result<AlternativeNames> ReadNames(const GENERAL_NAMES* names);
// Null for none. kInvalidArgument: an address that is none, or a name that is not ASCII.
Result<OwnedNames> WriteNames(const AlternativeNames& names);

}  // namespace podium::pki
