// Package provenance lets everybody who watches a recording check that it is what another channel's source has signed.
//
// Who broadcasts a recording of a channel signs it with a key of their own: it is another run, by another clock, perhaps
// of another channel. What the first source has signed goes along: behind some tags comes a [Proof] with the signatures of
// the chunks that these tags were sent in. A chunk's signature covers its bytes, and these are the tags'; so a [Checker]
// puts the chunks together again and verifies them.
//
//	archive ─► Replay ─► tags ─────────────► source ─► tree ─► Checker ─► "signed by ds2b"
//	              └────► Prover ─► proofs ─────┘
//
// The stream says in its metadata whose recording it is ([flv.SetRecording]). What is shown of it is told
// apart in a [Report]: what was proved, and what was not. Shown is that all that is seen and heard was signed by that
// channel, and when; that sound and pictures go together within a second; and the order within a proof, which is at most a
// group of pictures. Not shown is that nothing is missing between proofs, or in what order they went.
//
// What was sealed with the secret of a private channel has no proofs: nobody but who has the secret could check them.
package provenance
