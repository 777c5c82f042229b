"""The made-up world of the sample data: who bills, whom, for what, and what the state takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

SERVICES = (
    # key, name, unit, rate in cents, tax class
    ("desk", "Help desk seat", "seat", "2450", "standard"),
    ("server", "Server monitoring", "server", "4500", "standard"),
    ("backup", "Backup", "device", "1295.5", "reduced"),
    ("consulting", "Consulting", "hour", "12500", "standard"),
    ("onsite", "On-site support", "hour", "14250", "standard"),
    ("emergency", "Emergency support", "hour", "21000", None),
    ("storage", "Object storage", "GB", "1.25", "reduced"),
    ("sms", "Text messages", "message", "3.9", "standard"),
)

TaxRow = tuple[str, str, str, date, date | None]


@dataclass(frozen=True)
class Market:
    """A tenant and the country that it works in."""

    name: str
    street: str
    city: str
    country: str
    email: str
    tax_number: str
    user_name: str
    prefix: str
    currency: str
    zero_invoices: str
    payment_terms: str
    taxes: tuple[TaxRow, ...]
    streets: tuple[str, ...]
    cities: tuple[str, ...]
    people: tuple[str, ...]

    @property
    def tenant(self) -> UUID:
        return uuid5(NAMESPACE_URL, f"jobcore-sample/tenant/{self.prefix}")

    @property
    def user(self) -> UUID:
        return uuid5(NAMESPACE_URL, f"jobcore-sample/user/{self.prefix}")

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(region for region, *_ in self.taxes))


TENANTS = (
    Market(
        name="Pinewater Managed Services",
        street="1 Harbour Road",
        city="Portland, ME 04101",
        country="United States",
        email="billing@pinewater.example",
        tax_number="99-1234567",
        user_name="Dana Whitfield",
        prefix="PW-",
        currency="USD",
        zero_invoices="normal",
        payment_terms="net_30",
        taxes=(
            ("US-ME", "standard", "5.5", date(2020, 1, 1), None),
            ("US-ME", "reduced", "5.5", date(2020, 1, 1), None),
            ("US-NY", "standard", "8.5", date(2020, 1, 1), date(2025, 11, 1)),
            ("US-NY", "standard", "8.875", date(2025, 11, 1), None),
            ("US-NY", "reduced", "4.4375", date(2020, 1, 1), None),
        ),
        streets=("Main Street", "Mill Lane", "Orchard Avenue", "Fifth Street"),
        cities=("Bangor, ME 04401", "Albany, NY 12207", "Augusta, ME 04330", "Buffalo, NY 14202"),
        people=("Ruth Calder", "Miles Okafor", "Joan Petrie", "Luis Serrano"),
    ),
    Market(
        name="Rheinblick IT-Service GmbH",
        street="Uferstraße 12",
        city="53113 Bonn",
        country="Germany",
        email="rechnung@rheinblick.example",
        tax_number="DE999999999",
        user_name="Jürgen Weiß",
        prefix="RB-",
        currency="EUR",
        zero_invoices="suppress",
        payment_terms="net_15",
        taxes=(
            ("DE", "standard", "19", date(2021, 1, 1), None),
            ("DE", "reduced", "7", date(2021, 1, 1), None),
        ),
        streets=("Hauptstraße", "Gartenweg", "Am Markt", "Mühlengasse"),
        cities=("50667 Köln", "40213 Düsseldorf", "55116 Mainz"),
        people=("Anke Böhm", "Sönke Jäger", "Käthe Lüders"),
    ),
    Market(
        name="Lantern Cloud Ltd",
        street="4 Quay Street",
        city="Bristol BS1 4RW",
        country="United Kingdom",
        email="accounts@lanterncloud.example",
        tax_number="GB999999973",
        user_name="Priya Nair",
        prefix="LC-",
        currency="GBP",
        zero_invoices="normal",
        payment_terms="net_45",
        taxes=(
            ("GB", "standard", "20", date(2015, 1, 1), None),
            ("GB", "reduced", "5", date(2015, 1, 1), None),
        ),
        streets=("High Street", "Church Lane", "Station Road"),
        cities=("Bath BA1 5LN", "Cardiff CF10 1EP", "Exeter EX4 3SB"),
        people=("Owen Pryce", "Hattie Marlow", "Zoë Blyth"),
    ),
)

CLIENT_NAMES = (
    "Alder & Finch", "Amberline Dental", "Barrow Brewing", "Beacon Freight", "Birchwood School", "Bluefield Farms",
    "Calico Textiles", "Carver Museum", "Cedar Lake Clinic", "Clearwater Pumps", "Copperhead Tools", "Crane Optics",
    "Dovetail Joinery", "Eastgate Motors", "Elm Street Books", "Fairview Homes", "Fernhill Nursery",
    "Foxglove Florists",
    "Granite State Legal", "Greenway Transit", "Harrow Bakery", "Heron Bay Marina", "Ironbridge Gym", "Juniper Health",
    "Kestrel Aviation", "Kiln Ceramics", "Larkspur Law", "Maple Credit Union", "Bäckerei Sonnenschein",
    "Blumen Krüger", "Druckhaus Weber", "Elektro Schäfer", "Fahrrad Nowak", "Gärtnerei Löwe", "Hotel Rheinterrasse",
    "Imkerei Vogt", "Kanzlei Dr. Groß", "Kfz Brandt", "Metallbau Öztürk", "Optik Fuß", "Praxis Dr. Hähnel",
    "Reisebüro Möller", "Schreinerei Kühn", "Tierklinik Süd", "Spedition Łukasz", "Verlag Morgenrot", "Weingut Jäger",
    "Zahntechnik Röder", "Abbot's Tea", "Brindle Hardware", "Chandler Boats", "Dunmore Joinery", "Ember Pottery",
    "Fenwick Archives", "Gullwing Travel", "Hollow Oak Pubs", "Inkwell Press", "Jasper Roofing", "Kingfisher Canoes",
    "Lower Mill Cheese", "Moorland Wool", "Nettle Apothecary", "Otter Valley Vets", "Pebble Nurseries",
    "Quillon Fencing", "Rookery Theatre",
)  # fmt: skip
