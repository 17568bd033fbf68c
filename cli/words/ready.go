package words

// What `relay ready` says.
const (
	ReadyNobody     = "no relay answers at %s"
	ReadyNobodyHint = "relay source, watch and serve do, unless --admin says otherwise"
	ReadyNot        = "%s"
	ReadyNotRelay   = "what answers at %s is no relay: %d"
)
