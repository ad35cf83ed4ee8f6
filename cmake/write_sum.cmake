# The SHA-256 of INPUT, in OUTPUT.
file(SHA256 ${INPUT} sum)
file(WRITE ${OUTPUT} "${sum}\n")
file(REMOVE ${INPUT})
