// Package seal is what keeps a private channel private: the secret in its link, the keys that
// follow from it, and what is done with them. It knows no frames and no networks.
//
// The secret has two uses, with a key for each (HKDF-SHA256, RFC 5869, with the channel ID as
// salt), so that a node can have one without the other:
//
//	secret ─┬─► content ─► a key for each epoch ─► payloads, AES-256-GCM
//	        └─► join ────► proofs on connections; gossip: its label and its packets
//
// Who holds the join part is let in and passes on what it cannot read. Nothing that is made of
// one key tells anything of the other, or of the secret.
package seal
