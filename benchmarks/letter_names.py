"""Names with letters of which Faker lists few, by country, for `letters`."""

from collections.abc import Mapping

_WITH_APOSTROPHE = (
    "O'Brien O'Hara O'Neil O'Connor O'Dell D'Angelo D'Souza D'Amico L'Heureux N'Diaye"
    " M'Bala Dell'Orto Dall'Aglio Sant'Anna Sa'ad De'Andre Ja'Quan Ta'Shawn Nu'man"
).replace("'", "\u2019") + " O\u2018Neil Garcia\u2013Lopez Lee\u2013Smith"
"""Sound names whose apostrophes and dashes a word processor has made."""

MORE: Mapping[str, str] = {
    "en_IN": _WITH_APOSTROPHE,
    "it_IT": (
        "Nicolò Niccolò Giosuè Noè Salomè Cantù Cannavò Patanè Calì Macrì Cutrì Muscarà"
        " Nardò Zappalà Scinà Laganà Falcomatà Bonanà Morabìa Currò Munafò Cucè Librè"
        " Foà Donà Dalì Mosè Cesarò Alì Barillà Calabrò Cordì Fazzò Logatò Mallamà"
        " Minniti Nicotrà Piscì Romanò Sgrò Strangì Violì Zumbò Carrà Tosì Bagalà Rodà"
    ),
    "hu_HU": (
        "Fűri Fűrész Kőműves Szűts Szűr Hűvös Gyűrű Keserű Derű Tűzkő Gyűszű Nyűgő"
        " Győrfi Bősze Erdős Betű Fűzfa Rűzsa Műller Csűrös Kűrti Sűle Szőke Szőllősi"
        " Győző Gergő Dezső Jenő Ernő Ősz Őri Őze Vörösmarty Böszörményi Gömöri"
    ),
    "lt_LT": (
        "Jonė Eglė Rūta Živilė Aušra Rasa Jūratė Neringa Daiva Birutė Gražina Ona"
        " Šarūnas Žygimantas Kęstutis Mindaugas Gediminas Rūtenis Ąžuolas Liūtauras"
        " Kazlauskas Jankauskienė Petrauskaitė Stankevičius Vasiliauskas Žukauskas"
        " Butkevičienė Paulauskaitė Urbonavičius Kavaliauskienė Balčiūnas Šimkus"
        " Baranauskienė Adomavičiūtė Mažeika Žemaitis Šukys Čepas Ūsas Grybauskaitė"
        " Sąjūdis Mackevičiūtė Rimkevičius Lukošienė Šidlauskas Gudaitė Bieliauskienė"
        " Danutė Genovaitė Irutė Algė Adelė Anelė Laimė Žaneta Žibutė Agnė Viktė"
        " Elžbieta"
        " Bronė Stasė Onutė Julė Kotryna Ieva Dovilė Gabrielė Ugnė Miglė Ūla Austėja"
        " Mykolas Česlovas Vytautė Pranė Zosė Aldutė Simonė Justė Emilė Kamilė Viltė"
        " Pranciškus Juozapas Anicetas Benediktė Marytė Edvardė Šviesa Gintarė Sigutė"
        " Rožė Ramunė Skaistė Žydrūnas Ričardas Tadeušas Matas Rokas Jūris Ignė Ąsta"
        " Auksė Aistė Raimundė Donatė Salomėja Petronėlė Jadvyga Kęstas Vėjas Giedrė"
    ),
    "lv_LV": (
        "Jānis Andris Juris Edgars Mārtiņš Kristīne Inga Līga Ilze Zane Sarmīte Dzintra"
        " Pēteris Ēriks Guntis Māris Kārlis Krišjānis Rūdolfs Ģirts Ļubova Ķirsis Ņina"
        " Bērziņš Kalniņš Ozoliņš Jansons Liepiņa Krūmiņš Balodis Eglīte Zariņa"
        " Pētersons"
        " Vītols Kļaviņš Kārkliņš Vanags Gailītis Āboliņa Šmits Žukovs Čakste Ūdris"
        " Skujiņš Lācis Priedītis Siliņa Grīnbergs Rožkalns Mežs Dūmiņš Strautiņš"
        " Zvirbulis Ķēniņš Ģēģeris Vējonis Ieviņa Annija Elīna Anete Madara Līva Rēzija"
        " Ārija Ēvalds Irēna Valērija Natālija Zinaīda Regīna Marija Jūlija Alīna"
        " Antoņina"
        " Gaļina Iļja Iļjins Tatjana Kornēlija Rūta Ausma Dagmāra Elvīra Aivars Viļņis"
        " Raitis Imants Jānītis Hermīne Emīlija Otīlija Lūcija Mirdza Skaidrīte Ināra"
        " Vilnis Austris Uldis Ādolfs Ādams Šarlote Žanis Žanna Česlavs Mīhaels Dāvids"
    ),
    "et_EE": (
        "Õie Õnne Tõnu Tõnis Mõistuse Kõiv Põld Sõber Rõõm Lõhmus Mõttus Võsu Jõgi"
        " Kõrv Tõivo Tõnn Rõuk Põder Hõbe Nõmm Kõll Sõrmus Põllu Lõoke Jõesaar Vähi"
        " Ülle Külli Mürt Lüüs Ümarik Jüri Jürgen Küllike Kärt Mägi Tamm Mändmaa Pärn"
        " Kütt Põhjala Rätsep Sepp Käär Räni Tänav Hänilane Mäeots Väli Ööpik Köster"
        " Mölder Möldre Köiv Soosaar Šmidt Žukov Aleksandra Anželika Nataša Miša Maša"
        " Krõõt Märt Märten Pärja Säde Häli Ärni Käbi Tähte Päike Mööbel Tõll Aasmäe"
        " Kõivik Pärtel Päärn Väino Väinö Länts Läänemets Lõuna Kõrge Tõldsepp Rõivas"
    ),
    "ro_RO": (
        "Ștefan Ionuț Constanța Florența Dumitrița Lenuța Anuța Petruța Iuța Mihăiță"
        " Rareș Dragoș Miruța Costică Sănduță Ilinca Răzvan Bogdănel Tănase Brândușa"
        " Țepeș Țurcanu Țiriac Bălan Pătrașcu Stănescu Grădinaru Mușat Vasilescu"
        " Ciobănel"
        " Băsescu Tătaru Șerban Șandor Lăzărescu Ghiță Rădulescu Măndescu Pârvulescu"
        " Brâncuși Mânăstire Câmpeanu Vîlcu Pîrvu Lupașcu Neacșu Buțan Moraru Ungurașu"
        " Bănică Crețu Lucreția Horațiu Ignațiu Vicențiu Patriția Anghelușa Clarița"
        " Onița Nița Sofița Grația Savastița Florița Costeluș Ilieș Iluț Gheorghiță"
        " Mariș Miță Niță Tiță Cătălin Cătălina Mădălina Nicușor Sorinuța Codruț"
        " Lăcrămioara"
    ).translate(str.maketrans("șțȘȚ", "şţŞŢ")),
    "sl_SI": (
        "Žiga Špela Nataša Maša Tjaša Saša Miša Staša Aleš Tomaž Matjaž Matevž Jože"
        " Anže"
        " Blaž Urša Urška Nuša Neža Anja Živa Metoda Čeferin Žnidaršič Krašovec"
        " Zupančič"
        " Novak Kovačič Potočnik Golob Žagar Koželj Hočevar Sušnik Širca Škof Šuštar"
        " Premrl Jerič Turšič Rožič Kočevar Bizjak Krč Vrečko Žbontar Mikuž Rupnik Čuk"
    ),
    "is_IS": (
        "Haddý Irmý Valgý Gríma Sæmundur Hængsson Læla Þura Ævar Ægir Æsa Ýmir Ýr Þór"
    ),
}
"""Names to learn from, beside those that Faker lists."""
