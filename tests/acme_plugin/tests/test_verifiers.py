"""Acme's own tests, with the contract of `synth.testing`."""

from __future__ import annotations

from typing import ClassVar

from synth.testing import VerifierContract, record


class TestDosageMentioned(VerifierContract):
    verifier = "dosage_mentioned"
    options: ClassVar = {"drugs": ["aspirin"]}
    must_pass: ClassVar = ["Take 500 mg of aspirin.", "Aspirin, 1 g."]
    must_fail: ClassVar = ["Take some aspirin."]
    must_abstain: ClassVar = ["Take some paracetamol.", record(None)]


class TestPolite(VerifierContract):
    verifier = "polite"
    must_pass: ClassVar = ["Thank you.", "Yes, please!"]
    must_fail: ClassVar = ["Give me that."]
    must_abstain: ClassVar = [""]
