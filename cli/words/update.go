package words

// What `relay update --check` says.
const (
	UpdateNewer      = "relay %s is out; this is %s."
	UpdateGet        = "It is at %s"
	UpdateCurrent    = "This is relay %s, and there is none newer."
	UpdateAhead      = "This is relay %s, newer than the newest that is out, %s."
	UpdateOnlyTells  = "relay updates nothing by itself"
	UpdateCheckHint  = "relay update --check tells whether there is a newer release"
	UpdateNowhere    = "this build of relay names no place where releases are"
	UpdateFromHint   = "name one: relay update --check --from https://HOST/latest.json, which make release writes"
	UpdateNoAddress  = "--from %q is no https address"
	UpdateHTTPSHint  = "as in --from https://example.org/relay/latest.json; without TLS anybody on the way could answer"
	UpdateNoAnswer   = "%s does not answer: %s"
	UpdateMoved      = "it sends us elsewhere, too often or not by https"
	UpdateLate       = "not within %v"
	UpdateNoHint     = "is this machine on the Internet? relay doctor looks"
	UpdateStatus     = "%s answers %d, not with a release"
	UpdateNotOne     = "what %s answers is no release: %s"
	UpdateNotHint    = "is it the address of a latest.json, as make release writes it?"
	UpdateTooLong    = "it is longer than %d bytes"
	UpdateNoVersion  = "its version is none"
	UpdateNotReadily = "it cannot be read"
)
