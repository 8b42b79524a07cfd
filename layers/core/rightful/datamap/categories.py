"""Names of data categories: the default taxonomy of fideslang 3.1 (https://ethyca.github.io/fideslang/)."""

from __future__ import annotations

_TREE = """
system: authentication operations
user: account authorization behavior biometric childrens contact content criminal_history demographic device financial
user: government_id health_and_medical job_title location name payment privacy_preferences sensor social telemetry
user: unique_id user_sensor workplace
user.account: settings username
user.authorization: biometric credentials password
user.behavior: browsing_history media_consumption purchase_history search_history
user.biometric: fingerprint health retinal voice
user.contact: address email fax_number organization phone_number url
user.contact.address: city country postal_code state street
user.content: private public self_image
user.demographic: age_range date_of_birth gender language marital_status political_opinion profile race_ethnicity
user.demographic: religious_belief sexual_orientation
user.device: cookie cookie_id device_id ip_address
user.financial: bank_account credit_card
user.government_id: birth_certificate drivers_license_number immigration national_identification_number passport_number
user.government_id: vehicle_registration
user.health_and_medical: genetic insurance_beneficiary_id record_id
user.location: imprecise precise
user.name: first last
user.unique_id: pseudonymous
"""

CATEGORIES = frozenset({"system", "user"}) | {
    f"{parent}.{child}"
    for parent, children in (line.split(": ") for line in _TREE.strip().splitlines())
    for child in children.split()
}
"""Every category that a data map may name."""

_DIRECT = ("user.contact", "user.name", "user.government_id")


def identifies(category: str) -> bool:
    """Whether a value of this category names a person by itself."""
    return any(category == direct or category.startswith(direct + ".") for direct in _DIRECT)
