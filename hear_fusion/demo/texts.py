"""What the demonstration's voices say; all of it written for this project."""

# ruff: noqa: RUF001 -- Turkish is written with a dotless i.

# Pairs that differ in one sound, so that knowing a word's length is not enough.
WORDS = (
    "bat", "bad", "pat", "pad", "ship", "chip", "seat", "sheet", "light", "right", "lock", "rock",
)  # fmt: skip

# Eleven sentences a language: six to train on, two to choose models by, three to test with.
SENTENCES = {
    "de": (
        "Der alte Hund schläft heute neben dem warmen Ofen.",
        "Morgen fahren wir mit dem Zug nach Hamburg.",
        "Meine Schwester hat ein blaues Fahrrad gekauft.",
        "Im Garten wachsen Äpfel, Birnen und Kirschen.",
        "Kannst du mir bitte das Fenster öffnen?",
        "Das Wetter wird am Wochenende wieder schlechter.",
        "Er schreibt jeden Abend einen langen Brief.",
        "Auf dem Markt gibt es frisches Brot und Käse.",
        "Die Kinder spielen nach der Schule am Fluss.",
        "Ich habe gestern meinen Schlüssel verloren.",
        "Wir warten schon eine Stunde auf den Bus.",
    ),
    "en-us": (
        "The old dog is sleeping beside the warm stove.",
        "Tomorrow we will take the train to the coast.",
        "My sister has bought a blue bicycle.",
        "Apples, pears and cherries grow in the garden.",
        "Could you please open the window for me?",
        "The weather will get worse again at the weekend.",
        "He writes a long letter every evening.",
        "They sell fresh bread and cheese at the market.",
        "The children play by the river after school.",
        "I lost my keys on the way home yesterday.",
        "We have been waiting an hour for the bus.",
    ),
    "es": (
        "El perro viejo duerme hoy junto a la estufa.",
        "Mañana vamos en tren a la costa.",
        "Mi hermana ha comprado una bicicleta azul.",
        "En el jardín crecen manzanas, peras y cerezas.",
        "¿Puedes abrirme la ventana, por favor?",
        "El tiempo va a empeorar el fin de semana.",
        "Escribe una carta larga todas las noches.",
        "En el mercado venden pan fresco y queso.",
        "Los niños juegan junto al río después de clase.",
        "Ayer perdí las llaves de camino a casa.",
        "Llevamos una hora esperando el autobús.",
    ),
    "fi": (
        "Vanha koira nukkuu tänään lämpimän uunin vieressä.",
        "Huomenna matkustamme junalla rannikolle.",
        "Siskoni on ostanut sinisen polkupyörän.",
        "Puutarhassa kasvaa omenoita ja kirsikoita.",
        "Voisitko avata minulle ikkunan?",
        "Sää huononee taas viikonloppuna.",
        "Hän kirjoittaa pitkän kirjeen joka ilta.",
        "Torilla myydään tuoretta leipää ja juustoa.",
        "Lapset leikkivät joen rannalla koulun jälkeen.",
        "Kadotin eilen avaimeni matkalla kotiin.",
        "Olemme odottaneet bussia jo tunnin.",
    ),
    "fr": (
        "Le vieux chien dort près du poêle chaud.",
        "Demain nous prenons le train pour la côte.",
        "Ma sœur a acheté un vélo bleu.",
        "Des pommes et des cerises poussent dans le jardin.",
        "Peux-tu m'ouvrir la fenêtre, s'il te plaît ?",
        "Le temps va encore se gâter ce week-end.",
        "Il écrit une longue lettre chaque soir.",
        "On vend du pain frais et du fromage au marché.",
        "Les enfants jouent au bord de la rivière.",
        "J'ai perdu mes clés hier en rentrant.",
        "Nous attendons le bus depuis une heure.",
    ),
    "it": (
        "Il vecchio cane dorme accanto alla stufa calda.",
        "Domani prendiamo il treno per la costa.",
        "Mia sorella ha comprato una bicicletta blu.",
        "Nel giardino crescono mele, pere e ciliegie.",
        "Puoi aprirmi la finestra, per favore?",
        "Il tempo peggiora di nuovo nel fine settimana.",
        "Ogni sera scrive una lunga lettera.",
        "Al mercato vendono pane fresco e formaggio.",
        "I bambini giocano vicino al fiume dopo la scuola.",
        "Ieri ho perso le chiavi tornando a casa.",
        "Aspettiamo l'autobus già da un'ora.",
    ),
    "pl": (
        "Stary pies śpi dzisiaj obok ciepłego pieca.",
        "Jutro jedziemy pociągiem nad morze.",
        "Moja siostra kupiła niebieski rower.",
        "W ogrodzie rosną jabłka, gruszki i wiśnie.",
        "Czy możesz otworzyć mi okno?",
        "W weekend pogoda znowu się pogorszy.",
        "Co wieczór pisze długi list.",
        "Na targu sprzedają świeży chleb i ser.",
        "Dzieci bawią się po szkole nad rzeką.",
        "Wczoraj zgubiłem klucze w drodze do domu.",
        "Czekamy na autobus już godzinę.",
    ),
    "tr": (
        "Yaşlı köpek bugün sıcak sobanın yanında uyuyor.",
        "Yarın trenle sahile gidiyoruz.",
        "Kız kardeşim mavi bir bisiklet aldı.",
        "Bahçede elma, armut ve kiraz yetişiyor.",
        "Benim için pencereyi açabilir misin?",
        "Hafta sonu hava yine bozulacak.",
        "Her akşam uzun bir mektup yazıyor.",
        "Pazarda taze ekmek ve peynir satıyorlar.",
        "Çocuklar okuldan sonra nehir kenarında oynuyor.",
        "Dün eve dönerken anahtarlarımı kaybettim.",
        "Bir saattir otobüsü bekliyoruz.",
    ),
}

# Phrases for telling voices apart; a phrase, and so each of its words in its place, is in one
# split only.
PHRASES = {
    "train": (
        "seven small boats", "the green lantern", "open the gate", "a quiet morning",
        "turn left here", "cold apple juice", "nobody knows why", "under the bridge",
        "three blind mice", "read it aloud", "summer is over", "paint the fence",
        "a broken clock", "follow that car", "sugar and salt", "far from home",
        "the last page", "eat your soup", "wind and rain", "call me later",
        "a pair of gloves", "look at the moon", "please be careful", "half past nine",
    ),
    "valid": (
        "the yellow bus", "mind the step", "fresh orange peel", "come back soon",
        "a deep forest", "write your name", "winter boots", "pass the butter",
    ),
    "test": (
        "the silver spoon", "close your eyes", "a long journey", "bread and honey",
        "meet me outside", "cloudy weather", "two brown horses", "wash the dishes",
        "over the hill", "thank you again", "a narrow street", "play another game",
    ),
}  # fmt: skip
