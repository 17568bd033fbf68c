package membership_test

import (
	"crypto/ed25519"
	"crypto/sha256"

	"relay/tree"
)

func nodeID(pub ed25519.PublicKey) tree.ID { return sha256.Sum256(pub) }
